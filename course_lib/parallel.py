"""Data-parallel training: several processes share each minibatch out, and arrive where one process would."""

import torch
from torch import Generator, Tensor, distributed, nn

from . import rng


class Parallel(nn.Module):
    r"""A model whose loss all processes of torch.distributed compute together, each its share of the rows.

    .. math:: \nabla \frac{1}{n} \sum_{i=1}^{n} \mathrm{loss}(x_i)
              = \sum_{\mathrm{process}} \; \nabla \frac{1}{n} \sum_{i \in \mathrm{share}} \mathrm{loss}(x_i)

    Every process is given the joint minibatch and a generator in the same state. It takes its own rows, and its own
    rows of the joint noise; a gradient is added up over all processes as soon as it is known. So the loop, and the
    parameters it arrives at, are those of one process, up to rounding.

    Raises:     ValueError if the rows cannot be shared out equally.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.rank, self.world = distributed.get_rank(), distributed.get_world_size()
        for parameter in model.parameters():
            parameter.register_post_accumulate_grad_hook(_add_up)

    def require_data(self, *data: Tensor) -> None:
        """Look at all of the data once, as the model does."""
        self.model.require_data(*data)

    def loss(self, *given: Tensor | Generator) -> Tensor:
        """The model's loss of every row, shape (n,); the gradient flows through this process's rows."""
        *data, generator = given
        n = len(data[0])
        if n % self.world:
            raise ValueError(f"`batch_size` must be a multiple of {self.world}, the number of processes; got {n}.")
        with rng.sharded(self.rank, self.world):
            mine = self.model.loss(*(part.chunk(self.world)[self.rank] for part in data), generator)
        shares = [torch.empty_like(mine) for _ in range(self.world)]
        distributed.all_gather(shares, mine.detach())
        shares[self.rank] = mine
        return torch.cat(shares)


def anyone(flag: bool, device: torch.device) -> bool:
    """Whether `flag` is true in any of the processes."""
    if not distributed.is_initialized():
        return flag
    raised = torch.tensor(float(flag), device=device)
    distributed.all_reduce(raised, distributed.ReduceOp.MAX)
    return bool(raised)


def _add_up(parameter: Tensor) -> None:
    distributed.all_reduce(parameter.grad)
