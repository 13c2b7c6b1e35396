"""Special functions, and Fourier transforms."""

from __future__ import annotations

import jax.numpy as jnp
import jax.scipy as jsp

from codemods.engine.rule import Array, f32, known, refuse, rule, sample
from codemods.mappings.differences import EMPTY, NAN, NO_FFT


@rule("tf.math.erf", samples=[sample(f32(4, 3))])
def erf(x, name=None):
    return jsp.special.erf(x)


@rule("tf.math.erfc", samples=[sample(f32(4, 3))])
def erfc(x, name=None):
    return jsp.special.erfc(x)


@rule("tf.math.erfinv", samples=[sample(f32(4, low=-0.9, high=0.9))])
def erfinv(x, name=None):
    return jsp.special.erfinv(x)


@rule("tf.math.erfcinv", samples=[sample(f32(4, low=0.1, high=1.9))])
def erfcinv(x, name=None):
    return jsp.special.erfinv(1 - x)


@rule("tf.math.ndtri", samples=[sample(f32(4, low=0.1, high=0.9))])
def ndtri(x, name=None):
    return jsp.special.ndtri(x)


@rule("tf.math.lgamma", samples=[sample(f32(4, low=0.1, high=5))])
def lgamma(x, name=None):
    return jsp.special.gammaln(x)


@rule("tf.math.digamma", samples=[sample(f32(4, low=0.1, high=5))])
def digamma(x, name=None):
    return jsp.special.digamma(x)


@rule("tf.math.bessel_i0", samples=[sample(f32(4))])
def bessel_i0(x, name=None):
    return jsp.special.i0(x)


@rule("tf.math.bessel_i0e", samples=[sample(f32(4))])
def bessel_i0e(x, name=None):
    return jsp.special.i0e(x)


@rule("tf.math.bessel_i1", samples=[sample(f32(4))])
def bessel_i1(x, name=None):
    return jsp.special.i1(x)


@rule("tf.math.bessel_i1e", samples=[sample(f32(4))])
def bessel_i1e(x, name=None):
    return jsp.special.i1e(x)


@rule("tf.math.lbeta", samples=[sample(f32(4, 3, low=0.5))])
def lbeta(x, name=None):
    return jnp.sum(jsp.special.gammaln(x), axis=-1) - jsp.special.gammaln(jnp.sum(x, axis=-1))


@rule("tf.math.igamma", samples=[sample(f32(4, low=0.5), f32(4, low=0.5))], differences=[NAN])
def igamma(a, x, name=None):
    return jsp.special.gammainc(a, x)


@rule("tf.math.igammac", samples=[sample(f32(4, low=0.5), f32(4, low=0.5))])
def igammac(a, x, name=None):
    return jsp.special.gammaincc(a, x)


ODD = "a length that is not known here: TensorFlow's periodic window is the symmetric one where the length is odd"
WAVES = Array((3, 8), "complex64")


@rule("tf.signal.fft", samples=[sample(WAVES)])
def fft(input, name=None):
    return jnp.fft.fft(input)


@rule("tf.signal.ifft", samples=[sample(WAVES)])
def ifft(input, name=None):
    return jnp.fft.ifft(input)


@rule("tf.signal.fft2d", samples=[sample(WAVES)])
def fft2d(input, name=None):
    return jnp.fft.fft2(input)


@rule("tf.signal.ifft2d", samples=[sample(WAVES)])
def ifft2d(input, name=None):
    return jnp.fft.ifft2(input)


@rule("tf.signal.rfft", samples=[sample(f32(3, 8)), sample(f32(3, 8), fft_length=[6])], differences=[EMPTY])
def rfft(input_tensor, fft_length=None, name=None):
    if fft_length is None:
        return jnp.fft.rfft(input_tensor)
    return jnp.fft.rfft(input_tensor, n=fft_length[0])


@rule("tf.signal.irfft", samples=[sample(WAVES), sample(WAVES, fft_length=[9])], differences=[NO_FFT])
def irfft(input_tensor, fft_length=None, name=None):
    if fft_length is None:
        return jnp.fft.irfft(input_tensor)
    return jnp.fft.irfft(input_tensor, n=fft_length[0])


@rule("tf.signal.rfft2d", samples=[sample(f32(2, 4, 8))], differences=[EMPTY])
def rfft2d(input_tensor, fft_length=None, name=None):
    if fft_length is not None:
        refuse("fft_length: give s= to jnp.fft.rfft2")
    return jnp.fft.rfft2(input_tensor)


@rule("tf.signal.fftshift", samples=[sample(f32(3, 4)), sample(f32(3, 4), axes=[0])])
def fftshift(x, axes=None, name=None):
    return jnp.fft.fftshift(x, axes=axes)


@rule("tf.signal.ifftshift", samples=[sample(f32(3, 4)), sample(f32(3, 5), axes=1)])
def ifftshift(x, axes=None, name=None):
    return jnp.fft.ifftshift(x, axes=axes)


@rule("tf.signal.frame", samples=[sample(f32(10), 4, 2), sample(f32(2, 11), frame_length=3, frame_step=3)])
def frame(signal, frame_length, frame_step, pad_end=False, pad_value=0, axis=-1, name=None):
    if pad_end or axis != -1:
        refuse("pad_end or another axis than the last: pad with jnp.pad, or move the axis")
    starts = jnp.arange(0, signal.shape[-1] - frame_length + 1, frame_step)
    return signal[..., starts[:, None] + jnp.arange(frame_length)]


@rule("tf.signal.dct", samples=[sample(f32(3, 8)), sample(f32(3, 8), norm="ortho")], differences=[EMPTY, NAN])
def dct(input, type=2, n=None, axis=-1, norm=None, name=None):
    if type != 2 or n is not None or axis != -1:
        refuse("only the DCT of type 2 over the whole last axis: TensorFlow takes no other axis, JAX no other type")
    return jsp.fft.dct(input, norm=norm)


@rule("tf.signal.hann_window", samples=[sample(8), sample(9, periodic=False)])
def hann_window(window_length, periodic=True, dtype="float32", name=None):
    if known(dtype) and dtype != "float32":
        refuse("another dtype than float32: cast the window")
    if not periodic:
        return jnp.hanning(window_length)
    if not known(window_length):
        refuse(ODD)
    if window_length % 2 == 1:
        return jnp.hanning(window_length)
    return jnp.hanning(window_length + 1)[:-1]


@rule("tf.signal.hamming_window", samples=[sample(8), sample(9, periodic=False)])
def hamming_window(window_length, periodic=True, dtype="float32", name=None):
    if known(dtype) and dtype != "float32":
        refuse("another dtype than float32: cast the window")
    if not periodic:
        return jnp.hamming(window_length)
    if not known(window_length):
        refuse(ODD)
    if window_length % 2 == 1:
        return jnp.hamming(window_length)
    return jnp.hamming(window_length + 1)[:-1]
