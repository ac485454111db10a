"""The tables, read by psycopg2."""
import psycopg2
import psycopg2.errors
import psycopg2.extensions

MICROS = "(extract(epoch from {}) * 1000000)::bigint"


class Database:
    """One statement, one connection: a restart of the server in between does not matter."""

    def __init__(self, uri):
        self.uri = uri

    def rows(self, sql, *parameters):
        connection = psycopg2.connect(self.uri, connect_timeout=10)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SET extra_float_digits = 3; SET timezone = 'UTC'")
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def value(self, sql, *parameters):
        return self.rows(sql, *parameters)[0][0]

    def run(self, sql, *parameters):
        self.rows(sql, *parameters)

    def count(self, table):
        return self.value(f"SELECT count(*) FROM {table}")

    def digest(self, table, *leave_out):
        """A fingerprint of all rows; equal before and after means nothing changed."""
        row = "to_jsonb(t)" + "".join(f" - '{column}'" for column in leave_out)
        return self.rows(f"SELECT count(*), md5(coalesce(string_agg(md5(({row})::text), '' "
                         f"ORDER BY md5(({row})::text)), '')) FROM {table} t")[0]

    def readings(self, where="true"):
        """(device, metric, event_us, value, quality, text, origin topic, partition, offset)."""
        return self.rows(f"SELECT device, metric, {MICROS.format('event_time')}, value, quality, text, origin_topic, "
                         f"origin_partition, origin_offset FROM forebay.readings WHERE {where}")
