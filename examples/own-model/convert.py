"""The converter of TensorFlow.js where `pip install tensorflowjs` finds no fitting versions. Takes the arguments of `tensorflowjs_converter`.

    pip install tensorflow-cpu keras tf-keras h5py
    pip install --no-deps tensorflowjs==4.22.0 tensorflow-hub
    python3 convert.py --input_format=keras_keras --output_format=tfjs_layers_model model.keras OUT
"""
import builtins
import sys
from unittest import mock

# The converter imports these for other inputs: forests of decisions, and JAX.
for module in ('tensorflow_decision_forests', 'jax', 'jax.experimental', 'jax.experimental.jax2tf', 'flax'):
    sys.modules[module] = mock.MagicMock()

import numpy

for old in ('object', 'bool'):  # names that the converter still uses
    if not hasattr(numpy, old):
        setattr(numpy, old, getattr(builtins, old))

from tensorflowjs.converters.converter import pip_main

pip_main()
