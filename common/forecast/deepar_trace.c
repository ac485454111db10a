/* deepar_trace.c */
