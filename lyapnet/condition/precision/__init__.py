"""Long products of Jacobians at any precision, and their singular values.

`product.singular_values_of_product` is the door for `condition_number`; the algorithm is in
`factored` (the product, of `digits`), `diagonal` and `bounds` (what its rounding can do) and
`graded` (the singular values, on either backend). Neither mpmath nor flint is loaded before it is
asked for.
"""
