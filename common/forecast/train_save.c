/* train_save.c */
