// e^x for float32 in forms that compilers vectorise: no branch, no call.
#pragma once

#include <cstdint>
#include <cstring>

namespace ctorch {

namespace detail {

// e^r for |r| <= ln 2 / 2, by a minimax polynomial (Cephes).
__attribute__((always_inline)) inline float exponential_near_zero(float r) {
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * r * r + r + 1.0f;
}

// The whole number nearest to x / ln 2, as a float: adding 1.5 * 2^23 rounds.
__attribute__((always_inline)) inline float halvings(float x) {
    return (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f;
}

__attribute__((always_inline)) inline float remainder(float x, float n) {
    return (x - n * 0.693359375f) + n * 2.12194440e-4f;
}

__attribute__((always_inline)) inline float whole_power_of_two(int32_t n) {
    const int32_t bits = (n + 127) << 23;
    float power;
    std::memcpy(&power, &bits, sizeof power);
    return power;
}

}  // namespace detail

// Within 2 units in the last place of the true value for -87 <= x <= 88; outside it saturates at the ends of that range.
__attribute__((always_inline)) inline float exponential(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    const float n = detail::halvings(x);
    return detail::exponential_near_zero(detail::remainder(x, n)) * detail::whole_power_of_two(static_cast<int32_t>(n));
}

// The same for all x: overflow gives infinity, underflow 0, and NaN stays NaN.
__attribute__((always_inline)) inline float exponential_whole(float x) {
    const float within = x < -104.0f ? -104.0f : (x > 88.8f ? 88.8f : x);
    const float n = detail::halvings(within);
    const float p = detail::exponential_near_zero(detail::remainder(within, n));
    // Two powers, because one may be outside the range of a float.
    const int32_t whole = static_cast<int32_t>(n), part = whole >> 1;
    return p * detail::whole_power_of_two(part) * detail::whole_power_of_two(whole - part);
}

// 2^x within 2 units in the last place for -126 <= x <= 126.
__attribute__((always_inline)) inline float power_of_two(float x) {
    const float shifted = x + 12582912.0f;  // the last bits of its significand are those of the nearest whole number
    const float f = x - (shifted - 12582912.0f);
    // Taylor's series of e^(f ln 2) on |f| <= 1/2.
    float p = 1.54035304e-4f;
    p = p * f + 1.33335581e-3f;
    p = p * f + 9.61812911e-3f;
    p = p * f + 5.55041087e-2f;
    p = p * f + 2.40226507e-1f;
    p = p * f + 6.93147181e-1f;
    p = p * f + 1.0f;
    uint32_t exponent, bits;
    std::memcpy(&exponent, &shifted, sizeof exponent);
    std::memcpy(&bits, &p, sizeof bits);
    bits += exponent << 23;
    std::memcpy(&p, &bits, sizeof p);
    return p;
}

}  // namespace ctorch
