"""All small networks that the torch exporters are given."""
from networks import control, sequence, tensors, vision


def networks():
    for part in (vision, sequence, tensors, control):
        yield from part.networks()
