/* train_windows.c */
