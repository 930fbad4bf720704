import awkward as ak
import numpy as np
import pytest

from workbench.data.jets import momenta, wrapped
from workbench.errors import DataError
from workbench.physics.images import (
    STEPS,
    Cloud,
    centre,
    flip,
    jet_images,
    normalise,
    outside,
    pixelate,
    prepared,
    rotate,
)

from .clouds import jets_of, random_jets, shuffled

# Clouds are kept in single precision: 6e-8 of a coordinate of about 1, grown by sums over some thirty constituents
# and by an angle of the principal axis that is as uncertain as the jet is round.
PRECISION = 2e-5
AXIS = jets_of([(100.0, 0.0, 0.0)]).p4


def moved(jets, change):
    """Returns the jets with `change(deta, dphi)` applied to the particles about the jets' axes."""
    c = jets.constituents
    deta, dphi = change(c.eta - jets.p4.eta, wrapped(c.phi - jets.p4.phi))
    particles = momenta(pt=c.pt, eta=jets.p4.eta + deta, phi=wrapped(jets.p4.phi + dphi), mass=c.mass)
    return type(jets).of(particles, p4=jets.p4)


@pytest.fixture(scope="module")
def sample():
    return random_jets(60, seed=51)


def test_a_particle_fills_the_pixel_where_it_is():
    jets = jets_of([(7.0, 0.05, -0.35)], [(2.0, -0.4, 0.39), (3.0, -0.4, 0.39)], p4=AXIS[[0, 0]])
    images = jet_images(jets, pixels=8, extent=0.4, steps=())
    expected = np.zeros((2, 8, 8))
    expected[0, 0, 4] = 7.0
    expected[1, 7, 0] = 5.0
    assert images == pytest.approx(expected)


def test_azimuth_about_the_axis_crosses_the_seam():
    jets = jets_of([(7.0, 0.0, -3.1)], p4=jets_of([(7.0, 0.0, 3.1)]).p4)
    image = jet_images(jets, pixels=4, extent=0.2, steps=())[0]
    assert image[2, 2] == 7.0


def test_the_image_and_what_lies_outside_add_up_to_the_jet(sample):
    total = ak.to_numpy(ak.sum(sample.constituents.pt, axis=1))
    for extent in (0.2, 0.4, 3.0):
        shown = jet_images(sample, extent=extent, steps=(centre,)).sum((1, 2), dtype=np.float64)
        # Pixels are kept in single precision: 6e-8 relative each.
        assert shown + total * outside(sample, extent=extent, steps=(centre,)) == pytest.approx(
            total, rel=1e-6
        )
        shares = jet_images(sample, extent=extent).sum((1, 2), dtype=np.float64)
        assert shares + outside(sample, extent=extent) == pytest.approx(np.ones(60), rel=1e-6)
    assert (outside(sample, extent=0.2) > 0).any()
    assert outside(sample, extent=5.0) == pytest.approx(np.zeros(60))


def test_pixels_agree_with_a_histogram_by_numpy(sample):
    cloud = prepared(Cloud.of(sample))
    images = pixelate(cloud, pixels=12, extent=0.5)
    edges = np.linspace(-0.5, 0.5, 13)
    for i in (0, 17, 59):
        own = prepared(Cloud.of(sample[i]))
        expected, _, _ = np.histogram2d(own.y, own.x, bins=(edges, edges), weights=own.pt)
        assert images[i] == pytest.approx(expected, abs=1e-7)


def test_more_jets_than_one_portion_give_the_same_images_as_few():
    jets = random_jets(1100, seed=52, mean=3)
    images = jet_images(jets, pixels=9)
    assert (images[1000:1060] == jet_images(jets[1000:1060], pixels=9)).all()


def test_centred_jets_have_their_centroid_at_the_origin(sample):
    cloud = prepared(Cloud.of(sample), (centre,))
    for v in (cloud.x, cloud.y):
        assert cloud.total(cloud.pt * v) / cloud.total(cloud.pt) == pytest.approx(np.zeros(60), abs=PRECISION)


def test_centring_takes_a_shift_out(sample):
    shifted = moved(sample, lambda deta, dphi: (deta + 0.1, dphi - 0.2))
    one, other = prepared(Cloud.of(sample), (centre,)), prepared(Cloud.of(shifted), (centre,))
    assert other.x == pytest.approx(one.x, abs=PRECISION)
    assert other.y == pytest.approx(one.y, abs=PRECISION)


def test_rotated_jets_have_their_principal_axis_vertical(sample):
    cloud = prepared(Cloud.of(sample), (centre, rotate))
    assert cloud.total(cloud.pt * cloud.x * cloud.y) == pytest.approx(np.zeros(60), abs=1e-3)
    assert (cloud.total(cloud.pt * cloud.y**2) >= cloud.total(cloud.pt * cloud.x**2)).all()


def test_two_prongs_of_known_direction_come_to_lie_on_the_vertical():
    angle = 0.6
    jets = jets_of([(70.0, 0.3 * np.cos(angle), 0.3 * np.sin(angle)), (30.0, 0.0, 0.0)], p4=AXIS)
    cloud = prepared(Cloud.of(jets), (centre, rotate, flip))
    assert cloud.x == pytest.approx([0, 0], abs=PRECISION)
    assert cloud.y == pytest.approx([0.09, -0.21], abs=PRECISION)


@pytest.mark.parametrize("angle", [0.3, 1.7, 3.0])
def test_a_turned_jet_gives_the_same_cloud(sample, angle):
    cos, sin = np.cos(angle), np.sin(angle)
    turned = moved(sample, lambda deta, dphi: (cos * deta - sin * dphi, sin * deta + cos * dphi))
    one, other = prepared(Cloud.of(sample)), prepared(Cloud.of(turned))
    assert other.x == pytest.approx(one.x, abs=PRECISION)
    assert other.y == pytest.approx(one.y, abs=PRECISION)


@pytest.mark.parametrize("signs", [(-1, 1), (1, -1), (-1, -1)])
def test_a_mirrored_jet_gives_the_same_cloud(sample, signs):
    mirrored = moved(sample, lambda deta, dphi: (signs[0] * deta, signs[1] * dphi))
    one, other = prepared(Cloud.of(sample)), prepared(Cloud.of(mirrored))
    assert other.x == pytest.approx(one.x, abs=PRECISION)
    assert other.y == pytest.approx(one.y, abs=PRECISION)


def test_flipped_jets_are_heavier_in_the_upper_right(sample):
    cloud = prepared(Cloud.of(sample), (centre, rotate, flip))
    for v in (cloud.x, cloud.y):
        assert (cloud.total(cloud.pt * np.sign(v)) >= 0).all()


def test_each_step_does_only_its_own_thing(sample):
    cloud = Cloud.of(sample)
    for step in (centre, rotate, flip):
        assert (step(cloud).pt == cloud.pt).all()
    assert (normalise(cloud).x == cloud.x).all()
    assert np.hypot(rotate(cloud).x, rotate(cloud).y) == pytest.approx(np.hypot(cloud.x, cloud.y))
    assert (np.abs(flip(cloud).x) == np.abs(cloud.x)).all()
    assert cloud.total(normalise(cloud).pt) == pytest.approx(np.ones(60))


def test_the_order_of_particles_has_no_influence(sample):
    assert jet_images(shuffled(sample, seed=3)) == pytest.approx(jet_images(sample), abs=1e-7)


def test_jets_of_one_particle_or_none_have_images():
    images = jet_images(jets_of([(5.0, 1.0, 2.0)], []), pixels=5)
    assert images[0].tolist() == [[1.0 if (i, j) == (2, 2) else 0.0 for j in range(5)] for i in range(5)]
    assert (images[1] == 0).all()
    assert np.isnan(outside(jets_of([]))).all()
    assert jet_images(jets_of([], [])[:0]).shape == (0, 40, 40)


def test_what_has_no_image_is_refused_with_a_sentence(sample):
    with pytest.raises(DataError, match="both must be positive"):
        jet_images(sample, pixels=0)
    with pytest.raises(DataError, match="both must be positive"):
        jet_images(sample, extent=-1.0)


def test_the_usual_steps_normalise_last():
    assert (centre, rotate, flip, normalise) == STEPS
