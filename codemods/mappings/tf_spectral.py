"""Short-time Fourier transforms, mel scales, and transforms of several axes."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import jax.scipy as jsp

from codemods.engine.rule import Array, f32, inline, known, refuse, rule, sample
from codemods.mappings.differences import EMPTY, MELS, NAN, NO_FFT
from codemods.mappings.tf_special import ODD

WINDOW = "the default of window_fn is a function of TensorFlow, here its name"
OTHER_WINDOW = "a window of its own: give the frames times that window to jnp.fft.rfft"


def stft(signals: jax.Array, frame_length: int, frame_step: int, fft_length: int, window: jax.Array) -> jax.Array:
    """Spectra (..., frames, bins) of overlapping frames of signals (..., samples)."""
    starts = jnp.arange(0, signals.shape[-1] - frame_length + 1, frame_step)
    frames = signals[..., starts[:, None] + jnp.arange(frame_length)]
    return jnp.fft.rfft(frames * window, fft_length)


def overlap_and_add(frames: jax.Array, frame_step: int) -> jax.Array:
    """Signals (..., samples) of frames (..., frames, frame_length) that overlap."""
    count, length = frames.shape[-2:]
    places = frame_step * jnp.arange(count)[:, None] + jnp.arange(length)
    signals = jnp.zeros((*frames.shape[:-2], (count - 1) * frame_step + length), frames.dtype)
    return signals.at[..., places].add(frames)


def mel_matrix(mels: int, bins: int, sample_rate: float, lowest: float, highest: float) -> jax.Array:
    """Weights (bins, mels) that gather the bins of a spectrum on the mel scale."""

    def mel(hertz: jax.Array | float) -> jax.Array:
        return 1127 * jnp.log1p(jnp.asarray(hertz) / 700)

    places = mel(jnp.linspace(0, sample_rate / 2, bins)[1:])[:, None]
    edges = jnp.linspace(mel(lowest), mel(highest), mels + 2)
    rising = (places - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - places) / (edges[2:] - edges[1:-1])
    weights = jnp.maximum(jnp.minimum(rising, falling), 0)
    return jnp.pad(weights, ((1, 0), (0, 0)))  # the bin of frequency 0 is left out


@inline
def hann(frame_length):
    """TensorFlow's periodic window, which is the symmetric one where the length is odd."""
    if not known(frame_length):
        refuse(ODD)
    if frame_length % 2 == 1:
        return jnp.hanning(frame_length)
    return jnp.hanning(frame_length + 1)[:-1]


@rule(
    "tf.signal.stft",
    helpers=(stft,),
    loose=WINDOW,
    samples=[
        sample(f32(2, 20), 6, 3), sample(f32(17), frame_length=5, frame_step=2, fft_length=9),
        sample(f32(2, 20), 8, 4, window_fn=None),
    ],
 differences=[NAN])  # fmt: skip
def stft_(signals, frame_length, frame_step, fft_length=None, window_fn="hann_window", pad_end=False, name=None):
    if pad_end:
        refuse("pad_end: pad with jnp.pad")
    length = 2 ** math.ceil(math.log2(frame_length)) if fft_length is None else fft_length
    if window_fn is None:
        return stft(signals, frame_length, frame_step, length, jnp.ones(frame_length))
    if not known(window_fn) or window_fn != "hann_window":
        refuse(OTHER_WINDOW)
    return stft(signals, frame_length, frame_step, length, hann(frame_length))


SPECTRA = Array((2, 4, 5), "complex64")


@rule(
    "tf.signal.inverse_stft",
    helpers=(overlap_and_add,),
    loose=WINDOW,
    samples=[
        sample(SPECTRA, 8, 3), sample(SPECTRA, frame_length=6, frame_step=2, fft_length=8),
        sample(SPECTRA, 8, 4, window_fn=None),
    ],
 differences=[NO_FFT])  # fmt: skip
def inverse_stft(stfts, frame_length, frame_step, fft_length=None, window_fn="hann_window", name=None):
    length = 2 ** math.ceil(math.log2(frame_length)) if fft_length is None else fft_length
    if window_fn is None:
        return overlap_and_add(jnp.fft.irfft(stfts, length)[..., :frame_length], frame_step)
    if not known(window_fn) or window_fn != "hann_window":
        refuse(OTHER_WINDOW)
    frames = jnp.fft.irfft(stfts, length)[..., :frame_length] * hann(frame_length)
    return overlap_and_add(frames, frame_step)


@rule(
    "tf.signal.overlap_and_add",
    helpers=(overlap_and_add,),
    samples=[sample(f32(2, 3, 4), 2), sample(f32(3, 5), frame_step=3), sample(f32(3, 4), 6)],
)
def overlap(signal, frame_step, name=None):
    return overlap_and_add(signal, frame_step)


@rule(
    "tf.signal.linear_to_mel_weight_matrix",
    helpers=(mel_matrix,),
    samples=[sample(), sample(8, 33, 16000, lower_edge_hertz=20.0, upper_edge_hertz=7000.0)],
    differences=[MELS],
)
def linear_to_mel_weight_matrix(
    num_mel_bins=20, num_spectrogram_bins=129, sample_rate=8000, lower_edge_hertz=125.0, upper_edge_hertz=3800.0,
    dtype="float32", name=None,
):  # fmt: skip
    if known(dtype) and dtype != "float32":
        refuse("another dtype than float32: cast the matrix")
    return mel_matrix(num_mel_bins, num_spectrogram_bins, sample_rate, lower_edge_hertz, upper_edge_hertz)


@rule("tf.signal.mfccs_from_log_mel_spectrograms", samples=[sample(f32(2, 3, 8)), sample(f32(3, 5))], differences=[NAN])
def mfccs_from_log_mel_spectrograms(log_mel_spectrograms, name=None):
    return jsp.fft.dct(log_mel_spectrograms) / (2 * log_mel_spectrograms.shape[-1]) ** 0.5


@rule("tf.signal.idct", samples=[sample(f32(3, 8), norm="ortho")])
def idct(input, type=2, n=None, axis=-1, norm=None, name=None):
    if type != 2 or n is not None or norm != "ortho" or axis != -1:
        refuse('only the inverse of the orthonormal DCT of type 2 (norm="ortho"): jax.scipy.fft.idct has no other')
    return jsp.fft.idct(input, norm=norm)


CUBES = Array((2, 3, 4, 4), "complex64")


@rule("tf.signal.fft3d", samples=[sample(CUBES)])
def fft3d(input, name=None):
    return jnp.fft.fftn(input, axes=(-3, -2, -1))


@rule("tf.signal.ifft3d", samples=[sample(CUBES)])
def ifft3d(input, name=None):
    return jnp.fft.ifftn(input, axes=(-3, -2, -1))


@rule("tf.signal.rfft3d", samples=[sample(f32(2, 3, 4, 4))], differences=[EMPTY])
def rfft3d(input_tensor, fft_length=None, name=None):
    if fft_length is not None:
        refuse("fft_length: give s= to jnp.fft.rfftn")
    return jnp.fft.rfftn(input_tensor, axes=(-3, -2, -1))


@rule("tf.signal.irfft2d", samples=[sample(Array((2, 4, 5), "complex64"))], differences=[NO_FFT])
def irfft2d(input_tensor, fft_length=None, name=None):
    if fft_length is not None:
        refuse("fft_length: give s= to jnp.fft.irfft2")
    return jnp.fft.irfft2(input_tensor)


@rule("tf.signal.kaiser_window", samples=[sample(8), sample(9, beta=4.0)])
def kaiser_window(window_length, beta=12.0, dtype="float32", name=None):
    if known(dtype) and dtype != "float32":
        refuse("another dtype than float32: cast the window")
    return jnp.kaiser(window_length, beta)
