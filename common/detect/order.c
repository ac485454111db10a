/* order.c -- see order.h. */
#include "common/detect/order.h"

enum order_kind
order_kind_of(const struct order *o, const struct order_rule *rule, int64_t event_us)
{
	if (!o->begun)
		return ORDER_TAKEN;
	if (event_us == o->last_us || (o->ahead && event_us == o->ahead_us))
		return ORDER_REPEATED;
	if (event_us < o->last_us)
		return o->late >= (uint32_t)rule->late_max ? ORDER_TAKEN : ORDER_LATE;
	if (event_us - o->last_us <= rule->jump_max_us)
		return ORDER_TAKEN;
	return o->ahead && event_us > o->ahead_us && event_us - o->ahead_us <= rule->jump_max_us ? ORDER_TAKEN
												 : ORDER_AHEAD;
}

enum order_kind
order_add(struct order *o, const struct order_rule *rule, int64_t event_us)
{
	enum order_kind kind = order_kind_of(o, rule, event_us);

	if (kind == ORDER_REPEATED)
		return kind;
	if (kind == ORDER_TAKEN) {
		o->begun = true;
		o->last_us = event_us;
	}
	o->late = kind == ORDER_LATE ? o->late + 1 : kind == ORDER_TAKEN ? 0 : o->late;
	o->ahead = kind == ORDER_AHEAD;
	o->ahead_us = o->ahead ? event_us : 0;
	return kind;
}
