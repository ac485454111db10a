/* mapping.c -- scan, choose the map, then item by item: device, time, values. */
#include "workers/ingest-router/mapping.h"

#include <inttypes.h>

#include "common/base/buffer.h"
#include "workers/ingest-router/measure.h"

#define SHOWN 64 /* bytes of a refused text in an error */
#define SHOW(s) (int)((s).len < SHOWN ? (s).len : SHOWN), (s).ptr

/* One item on its way to a reading. */
struct item {
	const struct pathmap *map;
	const struct mapping_rules *rules;
	const struct raw_message *message;
	struct arena *arena;
	struct place at;
	struct reading *reading;
	size_t n_good;
};

static int
out_of_memory(struct err *err)
{
	return err_set(err, REASON_NO_MEMORY, "message");
}

/* Device ids, metrics and units: short, not empty, and without control characters (C0, DEL, C1). */
static bool
is_name(struct span s)
{
	if (s.len == 0 || s.len > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && i + 1 < s.len && (unsigned char)s.ptr[i + 1] < 0xa0))
			return false;
	}
	return true;
}

enum phrase_verdict { PHRASE_OK, PHRASE_ABSENT, PHRASE_NO_TEXT };

static enum phrase_verdict
part_text(const struct part *part, const struct place *at, struct span *ret)
{
	if (part->literal.ptr) {
		*ret = part->literal;
		return PHRASE_OK;
	}
	*ret = reference_text(&part->from, at);
	if (ret->ptr)
		return PHRASE_OK;
	switch (reference_value(&part->from, at)->kind) {
	case SCAN_ARRAY:
	case SCAN_OBJECT: return PHRASE_NO_TEXT;
	default: return PHRASE_ABSENT;
	}
}

/* -1 on NO_MEMORY; *VERDICT tells the rest. */
static int
phrase_text(const struct phrase *phrase, struct item *item, enum phrase_verdict *verdict, struct span *ret,
	    struct err *err)
{
	struct span text;
	size_t len = 0;
	char *joined;

	if (phrase->n == 1) {
		*verdict = part_text(&phrase->parts[0], &item->at, ret);
		return 0;
	}
	for (size_t i = 0; i < phrase->n; i++) {
		*verdict = part_text(&phrase->parts[i], &item->at, &text);
		if (*verdict != PHRASE_OK)
			return 0;
		len += text.len;
	}
	joined = arena_alloc(item->arena, len + 1);
	if (!joined)
		return out_of_memory(err);
	*ret = (struct span){ joined, len };
	for (size_t i = 0; i < phrase->n; i++) {
		part_text(&phrase->parts[i], &item->at, &text);
		joined = (char *)mempcpy(joined, text.ptr, text.len);
	}
	return 0;
}

/* A number in a device id must be whole: 7, 7.0 and 7e0 would be three devices. */
static bool
numbers_are_whole(const struct phrase *phrase, const struct place *at)
{
	for (size_t i = 0; i < phrase->n; i++) {
		const struct scan_value *v;

		if (phrase->parts[i].literal.ptr)
			continue;
		v = reference_value(&phrase->parts[i].from, at);
		if (v->kind == SCAN_TRUE || v->kind == SCAN_FALSE)
			return false;
		if (v->kind == SCAN_NUMBER)
			for (size_t k = 0; k < v->text.len; k++)
				if (v->text.ptr[k] == '.' || v->text.ptr[k] == 'e' || v->text.ptr[k] == 'E')
					return false;
	}
	return true;
}

static bool
is_utf8(struct span s)
{
	for (size_t i = 0, n; i < s.len; i += n) {
		n = utf8_sequence(s.ptr + i, s.len - i);
		if (n == 0)
			return false;
	}
	return true;
}

static int
take_device(struct item *item, struct err *err)
{
	const struct pathmap *map = item->map;
	struct span device = item->message->key;
	enum phrase_verdict verdict = device.ptr ? PHRASE_OK : PHRASE_ABSENT;

	if (!map->device_is_key && phrase_text(&map->device, item, &verdict, &device, err) < 0)
		return -1;
	if (verdict == PHRASE_ABSENT)
		return err_set(err, REASON_DEVICE_MISSING, "map %.*s: %s", SPAN_ARG(map->source),
			       map->device_is_key ? "the record has no key" : "nothing where device points to");
	if (map->device_is_key && !is_utf8(device))
		return err_set(err, REASON_DEVICE_INVALID, "the key is not UTF-8");
	if (verdict == PHRASE_NO_TEXT || (!map->device_is_key && !numbers_are_whole(&map->device, &item->at)))
		return err_set(err, REASON_DEVICE_INVALID, "neither a text nor a whole number");
	if (!is_name(device))
		return err_set(err, REASON_DEVICE_INVALID, "\"%.*s\" (%zu bytes)", SHOW(device), device.len);
	item->reading->device = device;
	return 0;
}

static bool
is_blank(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != ' ' && s.ptr[i] != '\t')
			return false;
	return true;
}

static int
default_time(struct item *item, struct err *err)
{
	const struct pathmap *map = item->map;
	bool ingest = map->time_default == TIME_DEFAULT_INGEST ||
		      (map->time_default == TIME_DEFAULT_OPTION && item->rules->time_default_ingest) ||
		      map->time.n == 0;

	if (!ingest || item->message->ingest_us < 0)
		return err_set(err, REASON_TIME_MISSING, "map %.*s: %s", SPAN_ARG(map->source),
			       ingest ? "the record has no time stamp" : "nothing where time points to");
	item->reading->event_us = item->message->ingest_us;
	return 0;
}

static int
take_time(struct item *item, struct err *err)
{
	const struct mapping_rules *rules = item->rules;
	int64_t ingest_us = item->message->ingest_us, us;
	enum phrase_verdict verdict = PHRASE_ABSENT;
	struct span text = SPAN_NONE;

	if (item->map->time.n && phrase_text(&item->map->time, item, &verdict, &text, err) < 0)
		return -1;
	if (verdict == PHRASE_NO_TEXT)
		return err_set(err, REASON_TIME_SYNTAX, "an array or object where time points to");
	if (verdict == PHRASE_ABSENT || is_blank(text))
		return default_time(item, err);
	if (timestamp_parse(text, &item->map->time_format, &us, err) < 0)
		return -1;
	if (us < rules->time_min_us)
		return err_set(err, REASON_TIME_RANGE, "\"%.*s\" is before time.min", SHOW(text));
	if (ingest_us >= 0 && us > ingest_us && us - ingest_us > rules->time_future_max_us)
		return err_set(err, REASON_TIME_RANGE, "\"%.*s\" is %" PRId64 " ms after the record's time stamp",
			       SHOW(text), (us - ingest_us) / 1000);
	item->reading->event_us = us;
	return 0;
}

static int
take_fields(struct item *item, struct err *err)
{
	for (size_t i = 0; i < item->map->n_fields; i++) {
		const struct field *f = &item->map->fields[i];
		struct reading_value *v = &item->reading->values[item->reading->n_values];

		if (reference_value(&f->from, &item->at)->kind == SCAN_ABSENT)
			continue;
		if (measure_take(&f->measure, &f->from, &item->at, item->arena, v, err) < 0)
			return -1;
		v->metric = f->metric;
		v->unit = f->unit;
		item->n_good += v->quality == QUALITY_GOOD;
		item->reading->n_values++;
	}
	return 0;
}

/* Metric and unit of the row at hand. */
static int
take_names(struct item *item, const struct series *s, struct reading_value *v, struct err *err)
{
	v->metric = s->members ? item->at.rows[LEVEL_EACH]->name : reference_text(&s->metric, &item->at);
	v->unit = s->has_unit ? reference_text(&s->unit, &item->at) : s->fixed_unit;
	if (!v->metric.ptr)
		return err_set(err, REASON_RECORD_INVALID, "a value without a metric name");
	if (!is_name(v->metric))
		return err_set(err, REASON_RECORD_INVALID,
			       "metric \"%.*s\" (%zu bytes): empty, too long, or with control characters",
			       SHOW(v->metric), v->metric.len);
	if (v->unit.ptr && v->unit.len == 0)
		v->unit = SPAN_NONE;
	if (v->unit.ptr && !is_name(v->unit))
		return err_set(err, REASON_RECORD_INVALID,
			       "unit \"%.*s\" (%zu bytes): too long, or with control characters", SHOW(v->unit),
			       v->unit.len);
	return 0;
}

static int
take_series(struct item *item, const struct series *s, struct err *err)
{
	const struct scan_list *rows = &item->at.rows[s->level]->lists[s->group->list];

	for (const struct scan_row *row = rows->first; row; row = row->next) {
		struct reading_value *v = &item->reading->values[item->reading->n_values];
		struct span quality = SPAN_NONE;

		item->at.rows[LEVEL_EACH] = row;
		if (reference_value(&s->value, &item->at)->kind == SCAN_ABSENT)
			continue;
		if (take_names(item, s, v, err) < 0)
			return -1;
		if (s->has_quality)
			quality = reference_text(&s->quality, &item->at);
		if (quality.ptr && quality_parse(quality) != QUALITY_GOOD
			? measure_refuse(&s->value, &item->at, quality_parse(quality), item->arena, v, err) < 0
			: measure_take(&s->measure, &s->value, &item->at, item->arena, v, err) < 0)
			return -1;
		item->n_good += v->quality == QUALITY_GOOD;
		item->reading->n_values++;
	}
	return 0;
}

static int
take_values(struct item *item, struct err *err)
{
	const struct pathmap *map = item->map;
	size_t most = map->n_fields;

	for (size_t i = 0; i < map->n_series; i++)
		most += item->at.rows[map->series[i].level]->lists[map->series[i].group->list].n;
	item->reading->values = arena_alloc(item->arena, (most + 1) * sizeof(struct reading_value));
	if (!item->reading->values)
		return out_of_memory(err);
	item->reading->n_values = 0;
	if (take_fields(item, err) < 0)
		return -1;
	for (size_t i = 0; i < map->n_series; i++)
		if (take_series(item, &map->series[i], err) < 0)
			return -1;
	if (item->reading->n_values == 0)
		return err_set(err, REASON_NO_VALUE, "map %.*s finds none of its values", SPAN_ARG(map->source));
	return 0;
}

/* Read the item whose row is ROW (NULL: the message itself) into READING. */
static int
take_item(struct item *item, const struct scan_row *row, struct reading *reading, struct err *err)
{
	item->at.rows[LEVEL_ITEM] = row;
	item->reading = reading;
	reading->source = item->map->source;
	reading->ingest_us = item->message->ingest_us;
	return take_device(item, err) < 0 || take_time(item, err) < 0 || take_values(item, err) < 0 ? -1 : 0;
}

static int
take_items(struct item *item, const struct scan_row *message, struct mapped *ret, struct err *err)
{
	const struct scan_list *rows = item->map->items ? &message->lists[item->map->items->list] : NULL;
	const struct scan_row *row = rows ? rows->first : NULL;
	size_t n_values = 0;

	ret->n = rows ? rows->n : 1;
	if (ret->n == 0)
		return err_set(err, REASON_NO_VALUE, "map %.*s: no element where items points to",
			       SPAN_ARG(item->map->source));
	ret->readings = arena_alloc(item->arena, ret->n * sizeof(struct reading));
	if (!ret->readings)
		return out_of_memory(err);
	for (size_t i = 0; i < ret->n; i++, row = row ? row->next : NULL) {
		if (take_item(item, row, &ret->readings[i], err) < 0)
			return rows ? err_wrap(err, "item %zu", i) : -1;
		n_values += ret->readings[i].n_values;
	}
	if (n_values > item->rules->values_max)
		return err_set(err, REASON_TOO_MANY_VALUES, "%zu values, %zu are allowed", n_values,
			       item->rules->values_max);
	if (item->n_good == 0)
		return err_set(err, REASON_NO_VALUE, "%zu values and none of them good; the first: %.*s \"%.*s\" (%s)",
			       n_values, SHOW(ret->readings[0].values[0].metric), SHOW(ret->readings[0].values[0].text),
			       quality_name(ret->readings[0].values[0].quality));
	return 0;
}

int
mapping_apply(const struct pathmaps *maps, const struct mapping_rules *rules, const struct raw_message *message,
	      struct arena *arena, struct mapped *ret, struct err *err)
{
	struct item item = { .rules = rules, .message = message, .arena = arena };
	const struct scan_row *row;

	if (scan_json(maps->plan, message->json, &rules->limits, arena, &row, err) < 0)
		return -1;
	item.map = ret->map = pathmaps_choose(maps, message->topic, row);
	if (!item.map)
		return err_set(err, REASON_SOURCE_UNKNOWN, "none of %zu path maps fits, and there is no default one",
			       maps->n);
	item.at.rows[LEVEL_MESSAGE] = row;
	return take_items(&item, row, ret, err);
}
