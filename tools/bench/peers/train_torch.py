"""Times the same training steps as Funnel in PyTorch, for a comparison.

    python3 -m venv VENV && VENV/bin/pip install -r requirements.txt
    VENV/bin/python train_torch.py --compile

Prints one JSON line per stage: {"stage": "initialise"|"optimise"|"classic", "mode": "eager"|"compiled", "ms_per_step": median,
"images_per_s": ..., "threads": ..., "parameters": ..., "torch": version}.

The images: `--channels N` and `--size N` (pixels along one side). `--clock cpu` times the processor instead of the wall clock.

The networks: `--filters 32,64` gives 3x3 convolutions with stride 2, 'same' padding and ReLU; `--latent N` adds a linear dense code of
N units (0: the last convolution is the code, linear). The generator mirrors the encoder and ends in (1 + tanh)/2. The attacker's
generator gets the code and `--noise N` uniform values (dense code) or N uniform channels (convolutional code).

`--compile`: every network call and loss of a step runs through torch.compile (inductor); the optimisers are the usual ones. Warm-up
steps, which include compilation, are not timed.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument('--filters', default='32,64')
parser.add_argument('--latent', type=int, default=64)
parser.add_argument('--noise', type=int, default=16)
parser.add_argument('--channels', type=int, default=1)
parser.add_argument('--size', type=int, default=28)
parser.add_argument('--batch', type=int, default=128)
parser.add_argument('--steps', type=int, default=20)
parser.add_argument('--clock', choices=('wall', 'cpu'), default='wall')
parser.add_argument('--threads', type=int, default=1)
parser.add_argument('--device', default='cpu')
parser.add_argument('--compile', action='store_true')
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(0)
device = torch.device(options.device)
filters = [int(count) for count in options.filters.split(',')]
latent, noise = options.latent, options.noise
channels, size = options.channels, options.size
WARM_UP = 3
now = time.process_time if options.clock == 'cpu' else time.perf_counter
GAMMA, BETA = 5, 0.01

# Side lengths of the feature maps, from the image to the last convolution.
sides = [size]
for _ in filters:
    sides.append((sides[-1] + 1) // 2)
flat = filters[-1] * sides[-1] ** 2


class Encoder(nn.Module):
    """Images [n, channels, size, size] to codes [n, latent], or [n, filters[-1], side, side] without a dense code."""

    def __init__(self):
        super().__init__()
        maps = [channels] + filters
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in zip(maps, maps[1:]))
        self.dense = nn.Linear(flat, latent) if latent else None

    def forward(self, x):
        for i, conv in enumerate(self.convs):
            x = conv(x)
            if self.dense or i < len(self.convs) - 1:
                x = F.relu(x)
        return self.dense(x.flatten(1)) if self.dense else x


class Generator(nn.Module):
    """Codes to images [n, channels, size, size] in [0, 1]."""

    def __init__(self, noise):
        super().__init__()
        self.noise = noise
        maps, heights = filters[::-1] + [channels], sides[::-1]
        self.dense = nn.Linear(latent + noise, flat) if latent else None
        if not latent:
            maps[0] += noise
        self.convs = nn.ModuleList(
            nn.ConvTranspose2d(maps[i], maps[i + 1], 3, 2, 1, output_padding=1 - heights[i + 1] % 2)
            for i in range(len(filters))
        )

    def forward(self, z):
        if self.noise:
            drawn = torch.rand((z.shape[0], self.noise) + tuple(z.shape[2:]), device=z.device) * 2 - 1
            z = torch.cat([z, drawn], 1)
        if self.dense:
            z = F.relu(self.dense(z)).reshape(-1, filters[-1], sides[-1], sides[-1])
        for i, conv in enumerate(self.convs):
            z = conv(z)
            if i < len(self.convs) - 1:
                z = F.relu(z)
        return (1 + torch.tanh(z)) / 2


x = torch.rand(options.batch, channels, size, size, device=device)
mse = F.mse_loss
# Encoder and generator of the attacker, then of the defender.
ea, ga, ed, gd = (module.to(device) for module in (Encoder(), Generator(noise), Encoder(), Generator(0)))


def parameters(*modules):
    return [parameter for module in modules for parameter in module.parameters()]


def prepare(function):
    return torch.compile(function) if options.compile else function


def initialise():
    attacker = torch.optim.Adam(parameters(ea, ga), 1e-3)
    defender = torch.optim.Adam(parameters(ed, gd), 5e-4)

    @prepare
    def attack(x):
        fake = ga(ea(x))
        return mse(fake, x), fake.detach()

    @prepare
    def defend(fake, x):
        return mse(gd(ed(fake)), x)

    def step():
        loss, fake = attack(x)
        attacker.zero_grad()
        loss.backward()
        attacker.step()
        loss = defend(fake, x)
        defender.zero_grad()
        loss.backward()
        defender.step()

    return step


def optimise():
    # The attacker's encoder and the defender's generator are frozen; the codes are computed once.
    for parameter in parameters(ea, gd):
        parameter.requires_grad_(False)
    attacker = torch.optim.Adam(parameters(ga), 1e-5)
    defender = torch.optim.Adam(parameters(ed), 1e-5)
    with torch.no_grad():
        code = ea(x)

    @prepare
    def attack(code, x):
        fake = ga(code)
        return mse(fake, x) + GAMMA * F.relu(BETA - mse(gd(ed(fake)), x)), fake.detach()

    @prepare
    def defend(fake, x):
        return mse(gd(ed(fake)), x)

    def step():
        loss, fake = attack(code, x)
        attacker.zero_grad()
        defender.zero_grad()
        loss.backward()
        attacker.step()
        defender.zero_grad()
        loss = defend(fake, x)
        loss.backward()
        defender.step()

    return step


def classic():
    for parameter in parameters(ed, gd):
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(parameters(ed, gd), 5e-4)

    @prepare
    def reconstruct(x):
        return mse(gd(ed(x)), x)

    def step():
        loss = reconstruct(x)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def synchronise():
    if device.type == 'cuda':
        torch.cuda.synchronize()


for stage, make in (('initialise', initialise), ('optimise', optimise), ('classic', classic)):
    step = make()
    milliseconds = []
    for i in range(WARM_UP + options.steps):
        synchronise()
        start = now()
        step()
        synchronise()
        if i >= WARM_UP:
            milliseconds.append((now() - start) * 1e3)
    median = statistics.median(milliseconds)
    print(
        json.dumps(
            {
                'stage': stage,
                'mode': 'compiled' if options.compile else 'eager',
                'ms_per_step': round(median, 2),
                'images_per_s': round(options.batch / median * 1e3),
                'threads': options.threads,
                'parameters': sum(parameter.numel() for parameter in parameters(ea, ga, ed, gd)),
                'torch': torch.__version__,
            }
        ),
        flush=True,
    )
