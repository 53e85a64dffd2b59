"""Runs attacks of other tools in PyTorch on one thread, for a comparison with Funnel's.

    echo "--model fixtures/oracle/mnist-conv --data fixtures/data/mnist --attack apgd-ce --norm linf --epsilon 0.1 --steps 100" | \
        VENV/bin/python tools/bench/peers/attack_torch.py

Each line of the input names one attack. It gets the first `--images` test images, those that the model classifies correctly, in one batch.
The answer is one JSON line: {"cpu_seconds": user and system time of the attack alone, after a warm-up on `--warm-up` images,
"robust_accuracy": over all images, "median_distance": over the images that were fooled, in the attack's norm, or null, "torch": version}.

APGD, FAB-T and Square are the original AutoAttack in torchattacks; PGD, FMN and Carlini & Wagner are Foolbox's.
"""

import argparse
import gzip
import json
import sys
import time
from pathlib import Path

import foolbox
import numpy as np
import torch
import torch.nn as nn
import torchattacks

parser = argparse.ArgumentParser()
parser.add_argument('--model', type=Path, required=True)
parser.add_argument('--data', type=Path, required=True)
parser.add_argument('--images', type=int, default=200)
parser.add_argument('--warm-up', type=int, default=32)
parser.add_argument('--attack', choices=['apgd-ce', 'apgd-t', 'fab-t', 'pgd', 'fmn', 'cw', 'square'], required=True)
parser.add_argument('--norm', choices=['linf', 'l2'], required=True)
parser.add_argument('--epsilon', type=float)
parser.add_argument('--steps', type=int)
parser.add_argument('--targets', type=int)
parser.add_argument('--search-steps', type=int)
parser.add_argument('--initial-constant', type=float)
parser.add_argument('--queries', type=int)

torch.set_num_threads(1)


class SamePadding(nn.Module):
    """The padding 'same' of TensorFlow: an odd pixel goes to the bottom and to the right."""

    def __init__(self, kernel, stride):
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x):
        total = [
            max((-(-size // stride) - 1) * stride + kernel - size, 0)
            for size, kernel, stride in zip(x.shape[2:], self.kernel, self.stride)
        ]
        return nn.functional.pad(x, [total[1] // 2, -(-total[1] // 2), total[0] // 2, -(-total[0] // 2)])


def load_model(folder):
    """A TensorFlow.js layers model of convolutions, max pooling and dense layers as a PyTorch model, [n, 1, 28, 28] -> logits."""
    description = json.loads((folder / 'model.json').read_text())
    values = np.frombuffer((folder / 'weights.bin').read_bytes(), '<f4')
    weights, start = {}, 0
    for group in description['weightsManifest']:
        for spec in group['weights']:
            size = int(np.prod(spec['shape']))
            weights[spec['name']] = torch.tensor(values[start : start + size].reshape(spec['shape']))
            start += size
    activations = {'relu': nn.ReLU, 'tanh': nn.Tanh}
    layers, x = [], torch.zeros(1, 1, 28, 28)
    flattened = None  # the shape [channels, height, width] before Flatten, while no dense layer follows

    def append(layer):
        nonlocal x
        layers.append(layer)
        x = layer(x)

    for layer in description['modelTopology']['config']['layers']:
        kind, config = layer['class_name'], layer['config']
        if kind == 'Conv2D':
            if config['padding'] == 'same':
                append(SamePadding(config['kernel_size'], config['strides']))
            kernel = weights[config['name'] + '/kernel'].permute(3, 2, 0, 1)
            convolution = nn.Conv2d(kernel.shape[1], kernel.shape[0], config['kernel_size'], config['strides'])
            convolution.weight.data, convolution.bias.data = kernel.contiguous(), weights[config['name'] + '/bias']
            append(convolution)
        elif kind == 'MaxPooling2D':
            append(nn.MaxPool2d(config['pool_size'], config['strides']))
        elif kind == 'Flatten':
            flattened = x.shape[1:]
            append(nn.Flatten())
        elif kind == 'Dense':
            kernel = weights[config['name'] + '/kernel']
            if flattened is not None:  # TensorFlow flattens [height, width, channels]
                channels, height, width = flattened
                kernel = kernel.reshape(height, width, channels, -1).permute(2, 0, 1, 3).reshape(x.shape[1], -1)
                flattened = None
            dense = nn.Linear(*kernel.shape)
            dense.weight.data, dense.bias.data = kernel.T.contiguous(), weights[config['name'] + '/bias']
            append(dense)
        else:
            raise SystemExit(f'Expected Conv2D, MaxPooling2D, Flatten or Dense layers, but got {kind}')
        if config.get('activation', 'linear') != 'linear':
            append(activations[config['activation']]())
    return nn.Sequential(*layers).eval().requires_grad_(False)


def read_idx(folder, name, header):
    with gzip.open(folder / name) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def foolbox_attack(model, attack, **arguments):
    bounded = foolbox.PyTorchModel(model, bounds=(0, 1))
    return lambda x, y: attack.run(bounded, x, foolbox.criteria.Misclassification(y), **arguments)


def nearest_of_all_targets(attack, options):
    """FAB-T without a budget: every image, every target, the nearest result."""

    def run(x, y):
        nearest, distances = x.clone(), torch.full([len(x)], torch.inf)
        for target in range(2, options.targets + 2):
            attack.target_class = target
            found = attack.attack_single_run_targeted(x, y)
            distance = distances_between(found, x, options.norm)
            nearer = (distance > 0) & (distance < distances)
            nearest[nearer], distances[nearer] = found[nearer], distance[nearer]
        return nearest

    return run


def choose_attack(model, options):
    linf = options.norm == 'linf'
    auto = {'norm': 'Linf' if linf else 'L2', 'eps': options.epsilon, 'seed': 0}
    if options.attack == 'apgd-ce':
        return torchattacks.APGD(model, steps=options.steps, **auto)
    if options.attack == 'apgd-t':
        return torchattacks.APGDT(model, steps=options.steps, n_classes=options.targets + 1, **auto)
    if options.attack == 'fab-t':
        return nearest_of_all_targets(torchattacks.FAB(model, steps=options.steps, multi_targeted=True, **auto), options)
    if options.attack == 'square':
        return torchattacks.Square(model, n_queries=options.queries, **auto)
    if options.attack == 'pgd':
        pgd = foolbox.attacks.LinfPGD if linf else foolbox.attacks.L2PGD
        attack = pgd(abs_stepsize=2.5 * options.epsilon / options.steps, steps=options.steps)
        return foolbox_attack(model, attack, epsilon=options.epsilon)
    if options.attack == 'fmn':
        fmn = foolbox.attacks.LInfFMNAttack if linf else foolbox.attacks.L2FMNAttack
        return foolbox_attack(model, fmn(steps=options.steps))
    return foolbox_attack(
        model,
        foolbox.attacks.L2CarliniWagnerAttack(
            binary_search_steps=options.search_steps, steps=options.steps, initial_const=options.initial_constant
        )
    )


def distances_between(x, y, norm):
    return torch.linalg.vector_norm((x - y).flatten(1), torch.inf if norm == 'linf' else 2, dim=1)


def run(options):
    torch.manual_seed(0)
    model = load_model(options.model)
    pixels = read_idx(options.data, 't10k-images-idx3-ubyte.gz', 16).reshape(-1, 1, 28, 28)[: options.images]
    classes = read_idx(options.data, 't10k-labels-idx1-ubyte.gz', 8)[: options.images]
    images, labels = torch.tensor(pixels, dtype=torch.float32) / 255, torch.tensor(classes.astype(np.int64))
    correct = model(images).argmax(1) == labels
    images, labels = images[correct], labels[correct]
    attack = choose_attack(model, options)
    if options.warm_up > 0:
        attack(images[: options.warm_up], labels[: options.warm_up])
    start = time.process_time()
    found = attack(images, labels).detach()
    seconds = time.process_time() - start
    fooled = model(found).argmax(1) != labels
    distances = distances_between(found, images, options.norm)[fooled]
    return {
        'cpu_seconds': seconds,
        'robust_accuracy': int((~fooled).sum()) / options.images,
        'median_distance': float(distances.median()) if len(distances) > 0 else None,
        'torch': torch.__version__,
    }


for line in sys.stdin:
    print(json.dumps(run(parser.parse_args(line.split()))), flush=True)
