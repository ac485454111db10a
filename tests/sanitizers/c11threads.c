/*
 * c11threads.c -- C11 threads by way of POSIX threads, for ThreadSanitizer.
 *
 * librdkafka, as Debian builds it, uses thrd_create() and mtx_lock() of the C library.  ThreadSanitizer of GCC 12 knows
 * neither: the first such thread crashes, and what a mutex orders looks like a race.  Loaded before the C library
 * (LD_PRELOAD), these functions go through pthread_*, which it knows.  glibc's C11 types have the size of the POSIX ones.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "a mutex fits");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "a condition fits");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "a thread is its number");

struct start {
	thrd_start_t function;
	void *argument;
};

static int
result(int code)
{
	switch (code) {
	case 0: return thrd_success;
	case EBUSY: return thrd_busy;
	case ENOMEM: return thrd_nomem;
	case ETIMEDOUT: return thrd_timedout;
	default: return thrd_error;
	}
}

static void *
run(void *argument)
{
	struct start start = *(struct start *)argument;

	free(argument);
	return (void *)(intptr_t)start.function(start.argument);
}

int
thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
	struct start *start = malloc(sizeof(*start));
	int code;

	if (!start)
		return thrd_nomem;
	*start = (struct start){ .function = function, .argument = argument };
	code = pthread_create(thread, NULL, run, start);
	if (code)
		free(start);
	return result(code);
}

int
thrd_join(thrd_t thread, int *value)
{
	void *returned = NULL;
	int code = pthread_join(thread, &returned);

	if (!code && value)
		*value = (int)(intptr_t)returned;
	return result(code);
}

int
mtx_init(mtx_t *mutex, int type)
{
	pthread_mutexattr_t kind;
	int code;

	pthread_mutexattr_init(&kind);
	pthread_mutexattr_settype(&kind, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
	code = pthread_mutex_init((pthread_mutex_t *)mutex, &kind);
	pthread_mutexattr_destroy(&kind);
	return result(code);
}

int
mtx_lock(mtx_t *mutex)
{
	return result(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int
mtx_unlock(mtx_t *mutex)
{
	return result(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

void
mtx_destroy(mtx_t *mutex)
{
	pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int
cnd_init(cnd_t *condition)
{
	return result(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

int
cnd_signal(cnd_t *condition)
{
	return result(pthread_cond_signal((pthread_cond_t *)condition));
}

int
cnd_broadcast(cnd_t *condition)
{
	return result(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int
cnd_wait(cnd_t *condition, mtx_t *mutex)
{
	return result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int
cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until)
{
	return result(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

void
cnd_destroy(cnd_t *condition)
{
	pthread_cond_destroy((pthread_cond_t *)condition);
}
