"""Proof by faults: the real line under a seeded schedule of trouble, against the same line undisturbed.

    ./tests/run chaos [--faults N] [--records M] [--seed S] ...
"""
