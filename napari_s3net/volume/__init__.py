"""Stacks: slice by slice (`slices`), or as one volume that is fitted once (`whole`)."""
