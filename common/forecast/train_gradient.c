/* train_gradient.c */
