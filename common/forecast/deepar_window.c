/* deepar_window.c */
