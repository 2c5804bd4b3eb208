"""Compiled loops: a user's function traced once, and run with its tangent vectors by the machine.

`trace` writes down what a function does to numbers that stand for any, as a `graph`; `derivative`
carries tangent vectors through that; `code` turns both into a loop; `machine` compiles it and keeps
it on disk. Only `machine` needs what the extra ``fast`` installs.
"""
