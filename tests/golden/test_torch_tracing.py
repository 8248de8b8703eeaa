"""Integer layers under what records, compiles or transforms a module, and the backends that a graph finds."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from l1bn_golden import Contract
from l1bn_golden.backend import GoldenBackend
from l1bn_golden.norms import NORMS
from l1bn_golden.torch import L1BatchNorm1d, L1BatchNorm2d, L2BatchNorm2d
from l1bn_golden.torch.backends import backends_of, find_backends
from l1bn_golden.torch.operators import Statistics, contract_text, infer, normalise, normalise_backward

# The tests run on all cores already.
torch.set_num_threads(1)

MAPS = {"l1": L1BatchNorm2d, "l2": L2BatchNorm2d}
BOTH = pytest.mark.parametrize(
    ("norm", "training"), [(norm, training) for norm in sorted(MAPS) for training in (True, False)]
)


def layer(norm: str, training: bool, track: bool = True) -> nn.Module:
    formats = Contract(norm=norm, width=8, y_fraction=5)
    module = MAPS[norm](3, formats=formats, track_running_stats=track)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([1.0, -0.5, 2.0]))
        for name, values in module.named_buffers():
            if name.startswith("running"):
                values.copy_(torch.tensor([0.5, 1.0, 2.0]))
    return module.train(training)


def run(module: Callable[[Tensor], Tensor], state: nn.Module, x: Tensor) -> list[Tensor]:
    """y, dx, the gradients of the parameters and the state after a call."""
    state.zero_grad()
    leaf = x.clone().requires_grad_()
    y = module(leaf)
    y.backward(torch.linspace(-1, 1, y.numel()).reshape(y.shape))
    return [y.detach(), leaf.grad, *(p.grad for p in state.parameters()), *state.buffers()]


def assert_same(found: list[Tensor], expected: list[Tensor]) -> None:
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(torch.as_tensor(a), torch.as_tensor(b))


@BOTH
def test_a_trace_computes_with_what_it_is_given(norm: str, training: bool) -> None:
    """Recorded with one batch, saved and loaded, run with others of other sizes."""
    module = layer(norm, training)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (DeprecationWarning, FutureWarning))
        traced = torch.jit.trace(module, (torch.randn(4, 3, 5, 5),), check_trace=False)
        stream = io.BytesIO()
        torch.jit.save(traced, stream)
        stream.seek(0)
        loaded = torch.jit.load(stream)
    module = copy.deepcopy(module)
    module.load_state_dict(loaded.state_dict())
    for shape in ((4, 3, 5, 5), (6, 3, 5, 5), (2, 3, 2, 3)):
        x = torch.randn(shape)
        assert_same(run(loaded, loaded, x), run(module, module, x))


@BOTH
def test_an_exported_program_computes_the_same(norm: str, training: bool) -> None:
    module = layer(norm, training)
    batch = torch.export.Dim("batch", min=2)
    program = torch.export.export(module, (torch.randn(4, 3, 5, 5),), dynamic_shapes=({0: batch},))
    stream = io.BytesIO()
    torch.export.save(program, stream)
    stream.seek(0)
    loaded = torch.export.load(stream).module()
    for shape in ((4, 3, 5, 5), (7, 3, 5, 5)):
        x = torch.randn(shape)
        assert torch.equal(loaded(x), module(x))


@BOTH
def test_a_compiled_layer_computes_the_same(norm: str, training: bool) -> None:
    torch._dynamo.reset()
    module = layer(norm, training)
    same = copy.deepcopy(module)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    for shape in ((4, 3, 5, 5), (7, 3, 5, 5)):
        x = torch.randn(shape)
        assert_same(run(compiled, module, x), run(same, same, x))


@BOTH
def test_function_transforms(norm: str, training: bool) -> None:
    module = layer(norm, training, track=not training)
    batches = torch.randn(2, 4, 3, 2, 2)
    each = torch.stack([module(x) for x in batches])
    assert torch.equal(torch.vmap(module)(batches), each)
    assert torch.equal(torch.vmap(module, in_dims=2, out_dims=1)(batches.movedim(0, 2)), each.movedim(0, 1))

    def loss(x: Tensor) -> Tensor:
        return module(x).pow(3).sum()

    def gradient(x: Tensor) -> Tensor:
        leaf = x.clone().requires_grad_()
        loss(leaf).backward()
        return leaf.grad

    gradients = torch.stack([gradient(x) for x in batches])
    assert torch.equal(torch.func.grad(loss)(batches[0]), gradients[0])
    assert torch.equal(torch.vmap(torch.func.grad(loss))(batches), gradients)
    parameters = dict(module.named_parameters())
    found = torch.func.grad(
        lambda given: torch.func.functional_call(module, given, (batches[0],)).pow(3).sum()
    )(parameters)
    module.zero_grad()
    loss(batches[0]).backward()
    for name, parameter in module.named_parameters():
        assert torch.equal(found[name], parameter.grad)
    # jacrev backpropagates a batch of gradients for one x.
    jacobian = torch.func.jacrev(module)(batches[0])
    row = torch.autograd.functional.jacobian(module, batches[0])
    assert torch.equal(jacobian, row)


@BOTH
def test_fake_and_meta_tensors_have_the_same_shapes_types_and_strides(norm: str, training: bool) -> None:
    x = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last).half()
    module = layer(norm, training)
    y = copy.deepcopy(module).to("meta")(x.to("meta"))
    assert (y.shape, y.dtype, y.stride()) == (x.shape, x.dtype, x.stride())
    arithmetic = module.arithmetic
    text, key = contract_text(arithmetic.contract), arithmetic.backends.key
    given = x.float().requires_grad_(), module.weight, module.bias
    if training:
        torch.library.opcheck(normalise, (*given, 1e-5, text, key))
        *_, samples, statistics = normalise(*given, 1e-5, text, key)
        dy = torch.randn_like(samples, dtype=torch.float32)
        torch.library.opcheck(normalise_backward, (dy, samples, statistics, 1e-5, text, key))
    else:
        state = module._buffers["running_mean"], module._buffers["running_var"]
        torch.library.opcheck(infer, (*given, *state, 1e-5, text))


@BOTH
def test_symbolic_traces_keep_the_layer(norm: str, training: bool) -> None:
    model = nn.Sequential(nn.Conv2d(3, 3, 1), layer(norm, training), nn.ReLU())
    traced = torch.fx.symbolic_trace(copy.deepcopy(model))
    x = torch.randn(4, 3, 5, 5)
    assert torch.equal(traced(x), model(x))


# -- backends -----------------------------------------------------------------------------------------


class Counted(GoldenBackend):
    """A backend that any process finds by its name."""

    made = 0

    def __init__(self, contract: Contract) -> None:
        super().__init__(contract)
        Counted.made += 1


def test_a_backend_with_a_name_is_the_same_everywhere() -> None:
    backends = backends_of(Counted)
    assert backends.key == f"{__name__}:Counted" and find_backends(backends.key) is backends
    formats = Contract(norm="l1", width=8)
    first = L1BatchNorm1d(2, formats=formats, backend=Counted)
    second = pickle.loads(pickle.dumps(first))
    for module in (first, second, copy.deepcopy(first)):
        module(torch.randn(8, 2))
        assert module.backend is Counted and module.formats == formats
    assert Counted.made == 1


def test_any_other_backend_lives_as_long_as_its_layer() -> None:
    contract = Contract(norm="l1", width=8)
    makers: list[Callable[[Contract], GoldenBackend]] = [lambda unit: GoldenBackend(unit) for _ in range(2)]
    one, other = (L1BatchNorm1d(2, formats=contract, backend=make) for make in makers)
    copied = copy.deepcopy(one)
    keys = {module.arithmetic.backends.key for module in (one, other, copied)}
    assert len(keys) == 3
    assert find_backends(one.arithmetic.backends.key)[contract] is one.arithmetic.backends[contract]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (DeprecationWarning, FutureWarning))
        traced = torch.jit.trace(one, (torch.randn(8, 2),), check_trace=False)
    x = torch.randn(6, 2)
    assert torch.equal(traced(x), one(x))
    del one
    gc.collect()
    with pytest.raises(RuntimeError, match="the backend of this graph is gone with its layer"):
        traced(x)
    with pytest.raises(Exception, match="lambda"):
        pickle.dumps(other)


def test_statistics_pass_through_their_table() -> None:
    """Means of any sign and of as many bits as the widest formats have."""
    means = [0, -1, 5 << 60, -(5 << 100), (1 << 130) - 1, -(1 << 130)]
    columns = torch.arange(6, dtype=torch.int64).numpy()
    for norm in NORMS.values():
        given = Statistics(
            means,
            columns,
            -columns,
            dict.fromkeys(norm.statistics, columns),
            columns,
            columns,
            columns > 2,
        )
        found = Statistics.of_table(given.table(torch.empty(0)), norm.name)
        assert found.mean.tolist() == means
        assert (
            found.r_exponent.tolist() == (-columns).tolist()
            and found.finite.tolist() == (columns > 2).tolist()
        )
        assert {name: found.extra[name].tolist() for name in found.extra} == dict.fromkeys(
            norm.statistics, columns.tolist()
        )
