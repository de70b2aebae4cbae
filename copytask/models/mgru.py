"""The multiplicative GRU."""

from copytask.models.multiplicative import MultiplicativeCell


class MultiplicativeGRU(MultiplicativeCell):
    """A GRU in which m_t = (W_mx x_t) * (W_mh h_{t-1}) replaces h_{t-1} in its gates.

    The reset gate acts as in torch.nn.GRU, after the product with the recurrent weights: with
    m = h this is torch.nn.GRU. The state is still carried by h: h_t = (1 - z) n + z h_{t-1}.

    Source: Maupome & Meurs, "Multiplicative Models for Recurrent Language Modeling", 2019,
    arXiv 1907.00455.
    """

    cell = "gru"
