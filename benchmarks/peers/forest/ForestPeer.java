/*
 * ForestPeer -- how many records a second does one thread score and learn with AWS's Random Cut Forest?  The same work as
 * benchmarks/forest.c: 50 trees of 256 points, decay 1/2560, score then update of each row; single precision, no parallel
 * execution, boxes of all nodes kept (its fastest setting and its default).
 *
 *	ForestPeer ROWS SECONDS FORESTS		JSON on standard output
 *	ForestPeer ROWS PROBES			the probes' scores by two forests, a line each
 *
 * ROWS: a file of rows of 8 doubles, little-endian (benchmarks/forest --rows).  Rates are per CPU-second of this thread: what
 * the just-in-time compiler does meanwhile is not counted.  A forest learns 20,000 rows before it counts, of those in turns
 * each learns 6,000, and all of it goes on for SECONDS before it is timed, so that it is compiled.
 */
import com.amazon.randomcutforest.RandomCutForest;
import com.amazon.randomcutforest.config.Precision;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

public final class ForestPeer {
	private static final int COLUMNS = 8;
	private static final int LEARNT = 20000;
	private static final int LEARNT_IN_TURNS = 6000;
	private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

	private final float[][] rows;
	private double sum; // of all scores
	private long scores;

	private ForestPeer(float[][] rows) {
		this.rows = rows;
	}

	/* The first COLUMNS values of each row. */
	private static float[][] read(Path path, int columns) throws IOException {
		ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
		float[][] rows = new float[bytes.remaining() / (COLUMNS * Double.BYTES)][columns];

		for (int i = 0; i < rows.length; i++)
			for (int k = 0; k < columns; k++)
				rows[i][k] = (float) bytes.getDouble((i * COLUMNS + k) * Double.BYTES);
		return rows;
	}

	private RandomCutForest grow(int shingle, long seed, int learnt) {
		RandomCutForest forest = RandomCutForest.builder()
			.dimensions(rows[0].length * shingle).shingleSize(shingle).internalShinglingEnabled(shingle > 1)
			.numberOfTrees(50).sampleSize(256).timeDecay(1.0 / 2560).randomSeed(seed)
			.precision(Precision.FLOAT_32).boundingBoxCacheFraction(1).parallelExecutionEnabled(false)
			.build();

		for (int i = 0; i < learnt; i++)
			forest.update(rows[i % rows.length]);
		return forest;
	}

	/* Records per CPU-second, the forests in turns, for so many seconds. */
	private double run(RandomCutForest[] forests, double seconds) {
		long began = THREADS.getCurrentThreadCpuTime(), until = System.nanoTime() + (long) (seconds * 1e9);
		long records = 0;

		while (System.nanoTime() < until) {
			for (int i = 0; i < 1000; i++, records++) {
				RandomCutForest forest = forests[(int) (records % forests.length)];
				float[] row = rows[(int) (records % rows.length)];

				sum += forest.getAnomalyScore(row);
				forest.update(row);
				scores++;
			}
		}
		return records / ((THREADS.getCurrentThreadCpuTime() - began) * 1e-9);
	}

	private double best(RandomCutForest[] forests, double seconds) {
		double best = 0;

		run(forests, seconds);
		for (int batch = 0; batch < 3; batch++)
			best = Math.max(best, run(forests, seconds));
		return best;
	}

	private double turns(int n, double seconds) {
		RandomCutForest[] forests = new RandomCutForest[n];

		for (int i = 0; i < n; i++)
			forests[i] = grow(1, i + 1, LEARNT_IN_TURNS);
		return best(forests, seconds);
	}

	private void score(float[][] probes) {
		RandomCutForest one = grow(1, 1, LEARNT), other = grow(1, 2, LEARNT);

		for (float[] probe : probes)
			System.out.printf(Locale.ROOT, "%.6f %.6f%n", one.getAnomalyScore(probe), other.getAnomalyScore(probe));
	}

	public static void main(String[] args) throws IOException {
		if (args.length == 2) {
			new ForestPeer(read(Path.of(args[0]), COLUMNS)).score(read(Path.of(args[1]), COLUMNS));
			return;
		}
		double seconds = Double.parseDouble(args[1]);
		int forests = Integer.parseInt(args[2]);
		ForestPeer wide = new ForestPeer(read(Path.of(args[0]), COLUMNS));
		ForestPeer narrow = new ForestPeer(read(Path.of(args[0]), 1));
		double hot = wide.best(new RandomCutForest[] { wide.grow(1, 1, LEARNT) }, seconds);
		double shingle = narrow.best(new RandomCutForest[] { narrow.grow(8, 1, LEARNT) }, seconds);
		double turns = wide.turns(forests, seconds);

		System.out.printf(Locale.ROOT,
			"{\"records_per_cpu_second\": %.0f, \"shingle_records_per_cpu_second\": %.0f, "
			+ "\"turns_%d_records_per_cpu_second\": %.0f, \"mean_score\": %.3f}%n",
			hot, shingle, forests, turns, wide.sum / wide.scores);
	}
}
