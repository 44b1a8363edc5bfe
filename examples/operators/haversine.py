"""The operator of haversine.cc in a model, from the shared library and as a Python function. Usage: haversine.py LIBRARY

    c++ -std=c++17 -O2 -fPIC -shared -I include examples/operators/haversine.cc -o libhaversine.so
    python examples/operators/haversine.py ./libhaversine.so
"""
import sys

import numpy as np

import onward


@onward.custom_operator("com.example", "Haversine", inputs="from:double to:double", outputs="kilometres:double", attributes={"radius": 6371.0},
                        infer=lambda start, end, radius: start and start[:1])
def haversine(start, end, radius):
    (lat1, lon1), (lat2, lon2) = np.radians(start).T, np.radians(end).T
    h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * radius * np.arcsin(np.sqrt(h))


graph = onward.Graph(operators=[haversine])
start, end = graph.input("from", "double", [None, 2]), graph.input("to", "double", [None, 2])
model = graph.model({"kilometres": graph.node("com.example.Haversine", start, end)})

of_library, of_python = onward.SessionOptions(), onward.SessionOptions()
of_library.register_custom_ops_library(sys.argv[1])
of_python.register_custom_ops(haversine)

paris, places = np.array([[48.8566, 2.3522]] * 2), np.array([[59.9139, 10.7522], [41.9028, 12.4964]])
for options in (of_library, of_python):
    print(onward.InferenceSession(model, options).run(None, {"from": paris, "to": places})[0].round(1))
