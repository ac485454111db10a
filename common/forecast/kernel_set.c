/*
 * kernel_set.c -- the kernels, once for each set of instructions: compiled several times with KERNEL_SET=portable, avx2, avx512
 * and the compiler's flags for it.  Everything here is static and inline: nothing with instructions that a processor may lack
 * can be taken for another set's by the linker.
 */
#include "common/forecast/kernel_sets.h"

#include "common/forecast/kernel_cell.h"
#include "common/forecast/kernel_draw.h"
#include "common/forecast/kernel_gemm.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

const struct kernel JOIN(kernel_set_, KERNEL_SET) = {
	.name = TEXT(KERNEL_SET),
	.gemm_nn = gemm_nn,
	.gemm_tn = gemm_tn,
	.gemm_nt = gemm_nt,
	.sigmoid = apply_sigmoid,
	.tanh = apply_tanh,
	.lstm_cell = lstm_cell,
	.lstm_column = lstm_column,
	.block = STEP_VECS > 3 ? STEP_VECS *VEC : 96,
	.lstm_step = lstm_step,
	.spread = spread,
	.softplus = softplus,
	.noise = noise,
	.student_t = student_t,
	.normal = normal,
	.sort = sort,
};
