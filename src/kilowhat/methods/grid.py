"""From electricity to greenhouse gas, water, primary energy and resource depletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kilowhat.quantity.quantity import Quantity


def emissions(energy: Quantity, intensity: Quantity) -> Quantity:
    """The greenhouse gas of electricity [gCO2e].

    GHG = E · intensity

    Args:
        energy: electricity taken from the grid, facility overhead included [J].
        intensity: of the zone and year [gCO2e/J, usually written gCO2e/kWh]; its boundary says
            whether it is direct combustion, life cycle, average, residual or marginal.

    Raises:
        DimensionError: an argument measures something else.

    Source: GHG Protocol Scope 2 Guidance 2015, chapter 6.

    >>> from kilowhat.quantity.quantity import Quantity
    >>> round(emissions(Quantity.of(2, "kWh"), Quantity.of(50, "gCO2e/kWh")).to("gCO2e"), 6)
    100.0
    """
    return energy * intensity


def direct_part(life_cycle: Quantity, direct_share: Quantity) -> Quantity:
    """The part of life-cycle emissions burnt at power plants, which Scope 2 takes [gCO2e].

    GHG_direct = GHG_life-cycle · share of direct combustion

    Args:
        life_cycle: emissions by a life-cycle factor [gCO2e].
        direct_share: share of the factor that is combustion at the plants [1].

    Raises:
        DimensionError: an argument measures something else.

    Source: GHG Protocol Corporate Value Chain Standard 2011, category 3.

    >>> from kilowhat.quantity.quantity import Quantity
    >>> direct_part(Quantity.of(100, "gCO2e"), Quantity(0.75)).to("gCO2e")
    75.0
    """
    return life_cycle * direct_share


def loss_part(delivered: Quantity, loss_share: Quantity) -> Quantity:
    """The impact of the electricity lost between plant and meter [as given].

    I_losses = I_delivered · share / (1 − share)

    Args:
        delivered: the impact of the electricity delivered, by a factor per kWh generated.
        loss_share: share of the generated electricity lost in transmission and distribution [1].

    Raises:
        DimensionError: an argument measures something else.

    Source: GHG Protocol Corporate Value Chain Standard 2011, category 3 (losses).

    >>> from kilowhat.quantity.quantity import Quantity
    >>> round(loss_part(Quantity.of(95, "gCO2e"), Quantity(0.05)).to("gCO2e"), 6)
    5.0
    """
    kept = 1 - loss_share.magnitude
    return delivered * loss_share / kept


def generation_water(energy: Quantity, intensity: Quantity) -> Quantity:
    """The water that power plants consume for some electricity [L].

    W_grid = E · water consumption per kWh

    Args:
        energy: electricity taken from the grid [J].
        intensity: consumption, not withdrawal [L/J, usually written L/kWh].

    Raises:
        DimensionError: an argument measures something else.

    Source: Reig et al. 2020 (World Resources Institute), water use of purchased electricity.

    >>> from kilowhat.quantity.quantity import Quantity
    >>> generation_water(Quantity.of(1, "kWh"), Quantity.of(3.5, "L/kWh")).to("L")
    3.5
    """
    return energy * intensity


def primary_energy(energy: Quantity, ratio: Quantity) -> Quantity:
    """The primary energy behind some electricity [J].

    PE = E · primary energy per unit of electricity

    Args:
        energy: electricity taken from the grid [J].
        ratio: primary over final energy [1, usually written MJ/kWh]; at least 1 for total
            primary energy.

    Raises:
        DimensionError: an argument measures something else.

    Source: EN 15804 (total use of primary energy resources).

    >>> from kilowhat.quantity.quantity import Quantity
    >>> round(primary_energy(Quantity.of(1, "kWh"), Quantity.of(9.0, "MJ/kWh")).to("MJ"), 6)
    9.0
    """
    return energy * ratio


def resource_depletion(energy: Quantity, intensity: Quantity) -> Quantity:
    """The depletion of minerals and metals behind some electricity [kgSbeq].

    ADPe = E · depletion per kWh

    Args:
        energy: electricity taken from the grid [J].
        intensity: abiotic depletion of elements [kgSbeq/J, usually written kgSbeq/kWh].

    Raises:
        DimensionError: an argument measures something else.

    Source: European Commission Environmental Footprint 3.1 (resource use, minerals and metals).

    >>> from kilowhat.quantity.quantity import Quantity
    >>> lost = resource_depletion(Quantity.of(1, "kWh"), Quantity.of(5e-8, "kgSbeq/kWh"))
    >>> round(lost.to("mgSbeq"), 6)
    0.05
    """
    return energy * intensity
