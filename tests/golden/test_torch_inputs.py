"""PyTorch's own inputs for its batch norms, and what PyTorch's tests ask of each of its modules, run over these layers.

``torch.testing._internal.common_modules`` has the inputs. Every check also runs over the layers of torch, so that
a check that asks for too much fails there first.
"""

from __future__ import annotations

import copy
import io
import math
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing._internal import common_modules

from l1bn_golden import Contract
from l1bn_golden.data import quantize
from l1bn_golden.norms import NORMS, norm_of
from l1bn_golden.torch import LAYERS
from l1bn_golden.torch.blocks import block_exponent

# The tests run on all cores already.
torch.set_num_threads(1)

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
FORMATS = {
    # One integer bit of dx more than by default: gamma / r reaches 4 in some of the small inputs.
    norm: Contract(norm=norm, width=16, y_fraction=12, dx_fraction=11)
    for norm in NORMS
}


@dataclass(frozen=True)
class Kind:
    """A layer for inputs of some dimensions: of torch, or of a norm in floating point or in integers."""

    dimensions: int
    norm: str = "torch"
    integers: bool = False

    @property
    def torchs(self) -> type[nn.Module]:
        kind: type[nn.Module] = getattr(nn, f"BatchNorm{self.dimensions}d")
        return kind

    @property
    def make(self) -> Callable[..., nn.Module]:
        if self.norm == "torch":
            return self.torchs
        layer = LAYERS[self.norm, self.dimensions]
        return partial(layer, formats=FORMATS[self.norm]) if self.integers else layer

    def __str__(self) -> str:
        return f"{self.norm}-{self.dimensions}d-{'integers' if self.integers else 'floating'}"


KINDS = [
    *(Kind(d) for d in (1, 2, 3)),
    *(Kind(d, norm) for norm in ("l1", "l2") for d in (1, 2, 3)),
    # Three dimensions add nothing there: the integers see rows of samples.
    *(Kind(d, norm, integers=True) for norm in ("l1", "l2") for d in (1, 2)),
    # Dimensions are the business of what all norms share: one is enough for each of the others.
    *(Kind(d, norm, integers) for norm in NORMS if norm not in ("l1", "l2") for d, integers in ((2, False), (1, True))),
]

STRAIGHT_THROUGH = (
    "y is a staircase, whose derivative is 0 or does not exist; the gradient is that of the unit's backward pass, "
    "which passes through rounding as if there were none"
)
ROUNDED = "the gradient is rounded to integers in the unit, so that a second derivative is an error and not 0"

EXCEPTIONS: dict[tuple[str, str], str] = {
    (str(kind), check): reason
    for kind in KINDS
    if kind.integers
    for check, reason in (("gradient", STRAIGHT_THROUGH), ("second_derivative", ROUNDED))
}
"""Why a check does not hold for a kind; it has to fail there."""


@dataclass
class Case:
    """A fresh layer, an input for it and what both are."""

    kind: Kind
    dtype: torch.dtype
    training: bool
    arguments: tuple[tuple[Any, ...], dict[str, Any]]
    x: Tensor

    def layer(self, **further: Any) -> nn.Module:
        args, kwargs = self.arguments
        layer = self.kind.make(*args, **kwargs, **further)
        return layer.to(self.dtype).train(self.training)

    def run(self, layer: nn.Module, x: Tensor, dy: Tensor) -> list[Tensor]:
        """y, the gradients of x and of the parameters, and the state afterwards."""
        leaf = x.detach().requires_grad_()
        y = layer(leaf)
        inputs = [leaf, *layer.parameters()]
        return [y.detach(), *torch.autograd.grad(y, inputs, dy), *layer.state_dict().values()]


def module_info(kind: Kind) -> Any:
    return next(info for info in common_modules.module_db if info.module_cls is kind.torchs)


def cases(
    kind: Kind, seed: int, dtypes: tuple[torch.dtype, ...] = DTYPES, modes: tuple[bool, ...] = (True, False)
) -> Iterator[Case]:
    info = module_info(kind)
    for dtype in dtypes:
        for training in modes:
            torch.manual_seed(seed)
            for given in info.module_inputs_func(info, "cpu", dtype, requires_grad=False, training=training):
                constructor = given.constructor_input
                yield Case(
                    kind, dtype, training, (constructor.args, constructor.kwargs), given.forward_input.args[0]
                )


def close(found: Tensor, expected: Tensor, slack: float = 4) -> None:
    """Equal up to ``slack`` units in the last place of the type and of the largest value."""
    assert found.dtype == expected.dtype and found.shape == expected.shape
    if found.is_floating_point() and found.numel():
        unit = torch.finfo(found.dtype).eps * slack
        torch.testing.assert_close(found, expected, rtol=unit, atol=unit * float(expected.abs().max()))
    else:
        assert torch.equal(found, expected)


def first(x: Tensor, of: Callable[..., Tensor]) -> Tensor:
    """The extreme of each channel, as the first sample that is it: that one has the gradient."""
    rows = x.transpose(0, 1).flatten(1)
    return rows.gather(1, of(rows.detach(), 1, keepdim=True))


def formula(layer: nn.Module, x: Tensor) -> Tensor:
    """y in float64, and nothing else than what autograd makes of it: the formula of the layer's norm."""
    shape = (1, -1, *[1] * (x.dim() - 2))
    dimensions = [0, *range(2, x.dim())]
    centred = norm_of(layer.norm).centred
    mean = x.mean(dimensions, keepdim=True) if centred else x.new_zeros(1, x.shape[1], *shape[2:])
    spread = {
        "l1": lambda: (x - mean).abs().mean(dimensions, keepdim=True),
        "l2": lambda: (x - mean).square().mean(dimensions, keepdim=True),
        "range": lambda: (first(x, torch.argmax) - first(x, torch.argmin)).reshape(shape),
        "rms": lambda: x.square().mean(dimensions, keepdim=True),
        "mean-absolute": lambda: x.abs().mean(dimensions, keepdim=True),
    }[layer.norm]()
    if not layer.training and layer.running_mean is not None:
        mean = layer.running_mean.reshape(shape) if centred else mean
        spread = layer._buffers["running_var"].reshape(shape)
    y = (x - mean) / (spread + layer.eps) ** (1 / norm_of(layer.norm).power)
    y = y if layer.weight is None else y * layer.weight.reshape(shape)
    return y if layer.bias is None else y + layer.bias.reshape(shape)


def with_state(layer: nn.Module) -> nn.Module:
    """Parameters and statistics that are not 1 and 0."""
    with torch.no_grad():
        for values in (*layer.parameters(), *layer.buffers()):
            if values.is_floating_point():
                values.uniform_(0.5, 1.5)
        if layer.running_mean is not None and not norm_of(getattr(layer, "norm", "l2")).centred:
            layer.running_mean.zero_()
    return layer


def check_forward(case: Case) -> None:
    """The result, gradients and statistics are those of the formula, in the type of the input."""
    layer = with_state(case.layer())
    dy = torch.randn(case.x.shape).to(case.dtype)
    before = copy.deepcopy(layer.state_dict())
    if case.kind.norm == "torch" or case.x.numel() == 0:
        case.run(layer, case.x, dy)
        return
    wide = copy.deepcopy(layer).double()
    if case.kind.integers:
        # Epsilon counts in units of x as the unit reads it.
        scaled = layer.formats.x_fraction - 15 + math.frexp(float(case.x.abs().max()))[1]
        wide.eps = math.ldexp(layer.eps, scaled * norm_of(case.kind.norm).power)
    y, dx, *rest = case.run(layer, case.x, dy)
    read = case.x.double()
    if case.kind.integers:
        # Of samples as the unit reads them: which is the largest, or is 0, may depend on it.
        exponent = block_exponent(read.numpy(), layer.formats.width)
        integers = quantize(read.numpy(), layer.formats.width, exponent).astype(np.float64)
        read = torch.from_numpy(np.ldexp(integers, -exponent))
    leaf = read.requires_grad_()
    expected = formula(wide, leaf)
    gradients = torch.autograd.grad(expected, [leaf, *wide.parameters()], dy.double())
    if case.kind.integers:
        formats = layer.formats
        limits = formats.y_min * 2.0**-formats.y_fraction, formats.y_max * 2.0**-formats.y_fraction
        assert y.dtype == dx.dtype == case.dtype
        # Roundings of y and of dx, whose last place is 2^-11 of the largest power of two.
        step = max(2.0**-9, 8 * torch.finfo(case.dtype).eps)
        torch.testing.assert_close(y.double(), expected.detach().clamp(*limits), rtol=0, atol=step)
        for found, exact in zip([dx, *rest], gradients, strict=False):
            torch.testing.assert_close(
                found.double(), exact, rtol=0, atol=4 * step * float(exact.abs().max())
            )
        return
    slack = 8 if case.dtype in (torch.bfloat16, torch.float16) else 64
    for found, exact in zip([y, dx, *rest], [expected.detach(), *gradients], strict=False):
        close(found, exact.to(case.dtype), slack)
    if not norm_of(case.kind.norm).centred:
        assert layer.running_mean is None or not layer.running_mean.any()
        return
    # The statistics are torch's, the spread for L2, moved by the momentum.
    torchs = case.kind.torchs(*case.arguments[0], **case.arguments[1]).to(case.dtype).train(case.training)
    torchs.load_state_dict(before)
    torchs(case.x)
    for name, value in torchs.state_dict().items():
        if name != "running_var" or case.kind.norm == "l2":
            close(layer.state_dict()[name], value, slack)


def check_factory_arguments(case: Case) -> None:
    """device and dtype reach every parameter and buffer."""
    layer = case.layer(device="cpu", dtype=case.dtype)
    for values in (*layer.parameters(), *layer.buffers()):
        assert values.device.type == "cpu"
        assert values.dtype == (case.dtype if values.is_floating_point() else torch.int64)
    for values in (*(meta := case.layer(device="meta")).parameters(), *meta.buffers()):
        assert values.device.type == "meta"
    with torch.device("meta"):
        assert all(values.is_meta for values in case.layer().parameters())


def check_repr(case: Case) -> None:
    assert repr(case.layer()) and str(case.layer()) == repr(case.layer())


def check_pickle(case: Case) -> None:
    """A layer and its state survive pickle, torch.save and deepcopy, the state as plain tensors."""
    layer = with_state(case.layer())
    layer(case.x)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    again = case.layer()
    again.load_state_dict(state, assign=True)
    for other in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer), again):
        for name, value in layer.state_dict().items():
            assert type(value) is Tensor and torch.equal(value, other.state_dict()[name])
        assert torch.equal(copy.deepcopy(layer)(case.x), other(case.x))


def check_non_contiguous(case: Case) -> None:
    dy = torch.randn(case.x.shape).to(case.dtype)

    def spaced(values: Tensor) -> Tensor:
        return torch.stack([values, values], -1)[..., 0]

    layer = with_state(case.layer())
    expected = case.run(copy.deepcopy(layer), case.x, dy)
    for a, b in ((spaced(case.x), dy), (case.x, spaced(dy)), (spaced(case.x), spaced(dy))):
        for found, value in zip(case.run(copy.deepcopy(layer), a, b), expected, strict=True):
            close(found, value, 16)


def check_memory_format(case: Case) -> None:
    """y and dx are in the memory format of x."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    memory = formats.get(case.x.dim(), torch.contiguous_format)
    layer = case.layer()
    x = case.x.contiguous(memory_format=memory).requires_grad_()
    y = layer(x)
    y.backward(torch.ones_like(y))
    assert y.is_contiguous(memory_format=memory) and x.grad.is_contiguous(memory_format=memory)
    if case.x.numel():
        assert y.stride() == x.stride()


def functional(case: Case) -> tuple[Callable[..., Tensor], tuple[Tensor, ...]]:
    layer = with_state(case.layer())
    names = [name for name, _ in layer.named_parameters()]

    def y(x: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(copy.deepcopy(layer), dict(zip(names, parameters, strict=True)), x)

    return y, (case.x.detach().requires_grad_(), *[p.detach().requires_grad_() for p in layer.parameters()])


def check_gradient(case: Case) -> None:
    function, inputs = functional(case)
    # With an exception torch looks for the element, which takes ten times as long.
    assert torch.autograd.gradcheck(function, inputs, fast_mode=True, raise_exception=False)


def check_second_derivative(case: Case) -> None:
    function, inputs = functional(case)
    assert torch.autograd.gradgradcheck(function, inputs, fast_mode=True)


def check_train_and_eval_differ(case: Case) -> None:
    train, evaluated = case.layer().train(), case.layer().eval()
    if case.x.numel() and train.running_mean is not None:
        assert not torch.allclose(train(case.x), evaluated(case.x))


def check_to(case: Case) -> None:
    """Moving a layer to another type, to meta and back keeps parameters, buffers, gradients and hooks."""
    layer = case.layer()
    layer(case.x.detach().requires_grad_()).sum().backward()
    parameters = list(layer.parameters())
    layer.to(torch.float64)
    assert [p is q for p, q in zip(parameters, layer.parameters(), strict=True)] == [True] * len(parameters)
    assert all(p.dtype == p.grad.dtype == torch.float64 for p in layer.parameters())
    layer(case.x.double())
    layer.to("meta")
    if layer.momentum is not None:
        # Without a momentum torch wants to know how many batches it has seen.
        assert layer(case.x.double().to("meta")).is_meta
    layer.to_empty(device="cpu")
    layer.reset_parameters()
    expected = case.layer().double()
    assert torch.equal(layer(case.x.double()), expected(case.x.double()))


def check_traces(case: Case) -> None:
    """torch.jit.trace, torch.export, a symbolic trace and torch.compile compute what the layer does.

    Each takes a second or so: of the layers for maps the first input alone.
    """
    if case.kind.dimensions != 2 or case.arguments != ((3,), {}):
        return
    model = nn.Sequential(with_state(case.layer())).train(case.training)
    other = torch.cat([case.x, -case.x])
    tracers: list[Callable[[nn.Module], Callable[[Tensor], Tensor]]] = [
        lambda model: torch.jit.trace(model, (case.x,), check_trace=False),
        lambda model: torch.export.export(
            model, (case.x,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)
        ).module(),
        torch.fx.symbolic_trace,
        partial(torch.compile, fullgraph=True, backend="aot_eager"),
    ]
    for tracer in tracers:
        torch.compiler.reset()
        expected, traced = copy.deepcopy(model), tracer(copy.deepcopy(model))
        for x in (case.x, other):
            close(traced(x).detach(), expected(x).detach(), 16)


def check_transforms(case: Case) -> None:
    """torch.vmap, torch.func.grad and functional_call, without running statistics as PyTorch asks."""
    layer = torch.func.replace_all_batch_norm_modules_(with_state(case.layer()))
    several = torch.stack([case.x, -case.x, case.x + 1])
    torch.testing.assert_close(torch.vmap(layer)(several), torch.stack([layer(x) for x in several]))
    state = dict(layer.named_parameters())

    def loss(state: dict[str, Tensor], x: Tensor) -> Tensor:
        return torch.func.functional_call(layer, state, x).square().sum()

    gradients = torch.func.grad(loss)(state, case.x)
    expected = torch.autograd.grad(loss(state, case.x), list(state.values())) if state else ()
    for name, value in zip(state, expected, strict=True):
        close(gradients[name], value, 64)


def check_autocast(case: Case) -> None:
    """As in torch, autocast leaves the type to the input, and the parameters may be float32."""
    layer = case.layer()
    if case.dtype in (torch.bfloat16, torch.float16):
        layer = layer.float()
    leaf = case.x.detach().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(leaf)
    y.sum().backward()
    assert y.dtype == leaf.grad.dtype == case.dtype
    assert all(p.grad.dtype == p.dtype for p in layer.parameters())


def check_errors(kind: Kind, seed: int) -> None:
    info = module_info(kind)
    for training in (True, False):
        for given in info.module_error_inputs_func(info, "cpu", torch.float64, False, training):
            inputs = given.module_error_input
            layer = kind.make(*inputs.constructor_input.args, **inputs.constructor_input.kwargs)
            layer.double().train()
            with pytest.raises(given.error_type, match=given.error_regex):
                layer(*inputs.forward_input.args)


FLOAT64 = {"dtypes": (torch.float64,)}
FLOAT32 = {"dtypes": (torch.float32,)}
CHECKS: dict[str, Callable[[Kind, int], None]] = {"errors": check_errors}
for check, selection in (
    (check_forward, {}),
    (check_factory_arguments, {}),
    (check_repr, FLOAT64),
    (check_pickle, FLOAT32),
    (check_non_contiguous, {"dtypes": (torch.float32, torch.bfloat16)}),
    (check_memory_format, {}),
    (check_gradient, FLOAT64),
    (check_second_derivative, FLOAT64),
    (check_train_and_eval_differ, {}),
    (check_to, FLOAT32),
    (check_traces, FLOAT32),
    (check_transforms, FLOAT32),
    (check_autocast, {}),
):

    def every_case(kind: Kind, seed: int, check: Any = check, selection: Any = selection) -> None:
        for case in cases(kind, seed, **selection):
            check(case)

    CHECKS[check.__name__.removeprefix("check_")] = every_case


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_holds_as_for_torch(kind: Kind, check: str, seed: int) -> None:
    reason = EXCEPTIONS.get((str(kind), check))
    if reason is None:
        CHECKS[check](kind, seed)
        return
    # An exception that is none any more has to go.
    with pytest.raises((AssertionError, NotImplementedError)):
        CHECKS[check](kind, seed)


def test_exceptions_are_few() -> None:
    assert len(EXCEPTIONS) <= 20
