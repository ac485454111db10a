# redis.sh -- Redis as the cache that may vanish: bounded, nothing kept on disk.
# shellcheck shell=bash

redis_needs() { need redis-server redis-cli; }
redis_address() { echo "redis://127.0.0.1:$(port redis)/0"; }
redis_signal() { echo TERM; }
redis_answers() { [[ $(timeout 2 redis-cli -h 127.0.0.1 -p "$(port redis)" ping 2>/dev/null) == PONG ]]; }

redis_spawn() {
	cat >"$DIR/redis/redis.conf" <<-END
	bind 127.0.0.1
	port $(port redis)
	dir "$DIR/redis"
	daemonize no
	save ""
	appendonly no
	maxmemory 64mb
	maxmemory-policy allkeys-lru
	END
	spawn redis redis-server "$DIR/redis/redis.conf"
}
