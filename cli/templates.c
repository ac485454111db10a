/* templates.c -- see templates.h.  Plausible, not measured. */
#include "cli/templates.h"

const struct device_template device_templates[] = {
	{ "thermostat",
	  FORM_METRICS,
	  {
	      /* name, unit, base, spread, daily, weekly, peak, wander, drift, noise, lowest, highest, decimals */
	      { "temperature", "Cel", 21.0, 1.2, 2.5, 0.6, 15.5, 0.5, 0.01, 0.15, -40, 85, 2 },
	      { "humidity", "%", 45.0, 5.0, 6.0, 1.0, 5.0, 2.5, 0.05, 0.7, 0, 100, 1 },
	      { "battery", "V", 3.05, 0.05, 0.004, 0, 14.0, 0.002, -0.003, 0.004, 0, 3.6, 3 },
	      { "co2", "[ppm]", 620, 60, 180, 40, 14.0, 30, 0.5, 12, 350, 5000, 0 },
	  } },
	{ "pump",
	  FORM_METRICS_AND_MORE,
	  {
	      { "pressure", "bar", 6.2, 0.4, 0.35, 0.1, 10.0, 0.12, 0.004, 0.05, 0, 16, 3 },
	      { "flow", "m3/h", 42.0, 6.0, 11.0, 3.0, 9.0, 2.0, 0.02, 0.9, 0, 120, 2 },
	      { "vibration", "mm/s", 2.1, 0.3, 0.25, 0.05, 11.0, 0.12, 0.01, 0.09, 0, 45, 3 },
	      { "motor_temperature", "Cel", 58, 4, 5, 1, 16, 1.5, 0.05, 0.5, -20, 180, 1 },
	  } },
	{ "meter",
	  FORM_VALUES,
	  {
	      { "power", "kW", 3.4, 1.1, 1.6, 0.35, 19.0, 0.3, 0.002, 0.16, 0, 80, 3 },
	      { "voltage", "V", 230.5, 0.8, 1.4, 0.2, 3.0, 0.5, 0.0, 0.35, 0, 300, 1 },
	      { "current", "A", 14.8, 4.0, 6.5, 1.2, 19.0, 1.2, 0.01, 0.6, 0, 400, 2 },
	      { "frequency", "Hz", 50.0, 0.002, 0.006, 0, 6.0, 0.004, 0.0, 0.008, 45, 65, 3 },
	  } },
};
const size_t device_template_count = sizeof(device_templates) / sizeof(device_templates[0]);
