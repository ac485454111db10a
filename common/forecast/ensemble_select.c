/* ensemble_select.c */
