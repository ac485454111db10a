/* kernel_set.c */
