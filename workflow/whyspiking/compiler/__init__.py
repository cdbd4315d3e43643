"""C++ at first use: shared libraries for kernels, programs for Brian2, one compiler found once.

May import `records`. At a glance: `libraries.load` compiles and loads a kernel, `programs` links a
Brian2 simulation; `vectors.hpp` is the one header for vector widths, tiles and exponentials.
"""
