"""How close vectors may have come for a method of orthonormalisation, and what it may leave.

NumPy's factorisation, numba's, and that of small systems, which is written out, all take their
limits from here. A sine is that of a vector with the span of those before it. Errors are those of
the inner products of Q with itself.
"""

#: Rounding, relative to a number.
EPS = 2.0**-52

#: Lengths between which squares, and sums of many of them, are neither denormal nor infinite: those
#: are about 1e-308 and 1e308.
SHORT, LONG = 1e-140, 1e140

#: Cholesky's method can be the first of two passes down to this sine: it leaves rounding over the
#: square, here 2e-6, which a second pass takes to rounding. From about 1e-8 on it fails.
TWICE = 1e-5

#: Where Q or R is wanted for itself one pass is enough down to this sine: it leaves 2e-12.
ONCE = 0.01

#: Within a compiled run it is tried down to this one, and what it has left is looked at.
ONCE_WITHIN = 1e-4

#: The method of Gram and Schmidt leaves rounding over the sine itself: down to this one, 2e-12.
ONCE_GRAM_SCHMIDT = 1e-4

#: Error that one pass may leave where Q is wanted: what it leaves at `ONCE`, and some more.
ORTHONORMAL = 1e-11

#: The same within a compiled run, where it is in the next R and nothing is lost, ...
WITHIN = 1e-9

#: ... and where only the flag of a basis matters, the spans of its first vectors, which any
#: triangle R keeps.
LOOSELY = 1e-2

#: After Householder's triangle: where growth alone is asked for, which has errors of rounding over
#: the sines itself, and where R is wanted, which has to be that of this very Q.
GROWTH_ERROR, FACTOR_ERROR = 1e-9, 1e-13

#: Vectors of unit length whose determinant is above this need one pass for the former: the
#: condition number is at most two over the determinant, and it leaves rounding times that, 5e-11.
DETERMINANT = 1e-5

#: Surfaces that a state may meet within one step of a field that jumps.
MOST_SURFACES = 20

#: How far from the edge of a region, relative to itself, something is as good as on it.
ON_EDGE = 1e-9

#: Jumps smaller than this, relative to the field, are none: the field is continuous there.
NO_JUMP = 1e-9

#: Part of a step in which it is seen whether both sides of a surface lead away from it.
SMALL = 1e-6

#: Where a decision has met its surface so often, and the field was continuous, it makes kinks only.
KINKS = 5
