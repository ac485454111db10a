/* engine_draw.c */
