//! The vector trait and its instances.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Four f32 lanes. Comparisons give all-ones or all-zeros lanes, as the hardware does; the
/// integer operations act on the lanes' bits as i32.
///
/// All instances agree bit for bit, NaN payloads aside, except `mul_add` under relaxed-simd.
pub trait F32x4: Copy {
    fn splat(x: f32) -> Self;
    fn splat_i32(x: i32) -> Self;
    fn from_array(x: [f32; 4]) -> Self;
    fn to_array(self) -> [f32; 4];
    /// # Safety
    /// `p` is valid for reading 4 floats; no alignment beyond that of f32 is needed.
    unsafe fn load_ptr(p: *const f32) -> Self;
    /// # Safety
    /// `p` is valid for writing 4 floats; no alignment beyond that of f32 is needed.
    unsafe fn store_ptr(self, p: *mut f32);
    fn add(self, o: Self) -> Self;
    fn sub(self, o: Self) -> Self;
    fn mul(self, o: Self) -> Self;
    fn div(self, o: Self) -> Self;
    fn sqrt(self) -> Self;
    /// `if o < self { o } else { self }`: keeps a NaN in `self`.
    fn min(self, o: Self) -> Self;
    /// `if self < o { o } else { self }`: keeps a NaN in `self`.
    fn max(self, o: Self) -> Self;
    fn gt(self, o: Self) -> Self;
    fn ge(self, o: Self) -> Self;
    fn lt(self, o: Self) -> Self;
    fn eq(self, o: Self) -> Self;
    fn and(self, o: Self) -> Self;
    fn or(self, o: Self) -> Self;
    fn xor(self, o: Self) -> Self;
    /// `self & !o`.
    fn and_not(self, o: Self) -> Self;
    fn add_i32(self, o: Self) -> Self;
    fn sub_i32(self, o: Self) -> Self;
    fn shl_i32<const N: i32>(self) -> Self;
    /// Arithmetic shift.
    fn shr_i32<const N: i32>(self) -> Self;
    /// Lane bits read as i32, converted to f32.
    fn i32_to_f32(self) -> Self;
    /// The high and the low halves of the products of lane bits read as u32.
    fn wide_mul_u32(self, o: Self) -> (Self, Self);
    /// Transposes a 4×4 block held as four rows.
    fn transpose(rows: [Self; 4]) -> [Self; 4];

    /// `self·b + c`. Rounded twice, except that relaxed-simd may round once.
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        self.mul(b).add(c)
    }
    /// The first four elements.
    #[inline(always)]
    fn load(x: &[f32]) -> Self {
        assert!(x.len() >= 4);
        // SAFETY: four elements are there.
        unsafe { Self::load_ptr(x.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, x: &mut [f32]) {
        assert!(x.len() >= 4);
        // SAFETY: four elements are there.
        unsafe { self.store_ptr(x.as_mut_ptr()) }
    }
    /// Up to four elements; the missing ones are `fill`.
    #[inline(always)]
    fn load_part(x: &[f32], fill: f32) -> Self {
        Self::from_array(match *x {
            [] => [fill; 4],
            [a] => [a, fill, fill, fill],
            [a, b] => [a, b, fill, fill],
            [a, b, c] => [a, b, c, fill],
            [a, b, c, d, ..] => [a, b, c, d],
        })
    }
    /// Stores as many lanes as `x` has room for.
    #[inline(always)]
    fn store_part(self, x: &mut [f32]) {
        for (d, s) in x.iter_mut().zip(self.to_array()) {
            *d = s;
        }
    }
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(0.0)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.and(Self::splat_i32(0x7fff_ffff))
    }
    #[inline(always)]
    fn neg(self) -> Self {
        self.xor(Self::splat_i32(i32::MIN))
    }
    /// `mask ? a : b`, where `self` is the mask.
    #[inline(always)]
    fn select(self, a: Self, b: Self) -> Self {
        self.and(a).or(b.and_not(self))
    }
    /// (l0 + l1) + (l2 + l3).
    #[inline(always)]
    fn sum(self) -> f32 {
        let [a, b, c, d] = self.to_array();
        (a + b) + (c + d)
    }
    /// The largest lane; NaN if any lane is NaN.
    #[inline(always)]
    fn max_lane(self) -> f32 {
        let nan_max = |a: f32, b: f32| if a > b || a.is_nan() { a } else { b };
        let [a, b, c, d] = self.to_array();
        nan_max(nan_max(a, b), nan_max(c, d))
    }
}

/// The instance of the build's target.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub type V = wasm::Wasm4;
/// The instance of the build's target.
#[cfg(target_arch = "x86_64")]
pub type V = x86::Sse4;
/// The instance of the build's target.
#[cfg(not(any(
    all(target_arch = "wasm32", target_feature = "simd128"),
    target_arch = "x86_64"
)))]
pub type V = Scalar4;

/// The portable instance, four floats one by one.
#[derive(Clone, Copy, Debug)]
pub struct Scalar4([f32; 4]);

impl Scalar4 {
    #[inline(always)]
    fn zip(self, o: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Scalar4(std::array::from_fn(|i| f(self.0[i], o.0[i])))
    }
    #[inline(always)]
    fn zip_bits(self, o: Self, f: impl Fn(u32, u32) -> u32) -> Self {
        self.zip(o, |a, b| f32::from_bits(f(a.to_bits(), b.to_bits())))
    }
    #[inline(always)]
    fn mask(self, o: Self, f: impl Fn(f32, f32) -> bool) -> Self {
        self.zip(o, |a, b| f32::from_bits(if f(a, b) { !0 } else { 0 }))
    }
}

impl F32x4 for Scalar4 {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Scalar4([x; 4])
    }
    #[inline(always)]
    fn splat_i32(x: i32) -> Self {
        Scalar4([f32::from_bits(x as u32); 4])
    }
    #[inline(always)]
    fn from_array(x: [f32; 4]) -> Self {
        Scalar4(x)
    }
    #[inline(always)]
    fn to_array(self) -> [f32; 4] {
        self.0
    }
    #[inline(always)]
    unsafe fn load_ptr(p: *const f32) -> Self {
        // SAFETY: the caller vouches for 4 floats.
        Scalar4(unsafe { p.cast::<[f32; 4]>().read() })
    }
    #[inline(always)]
    unsafe fn store_ptr(self, p: *mut f32) {
        // SAFETY: the caller vouches for 4 floats.
        unsafe { p.cast::<[f32; 4]>().write(self.0) }
    }
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        self.zip(o, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        self.zip(o, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        self.zip(o, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        self.zip(o, |a, b| a / b)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Scalar4(self.0.map(f32::sqrt))
    }
    #[inline(always)]
    fn min(self, o: Self) -> Self {
        self.zip(o, |a, b| if b < a { b } else { a })
    }
    #[inline(always)]
    fn max(self, o: Self) -> Self {
        self.zip(o, |a, b| if a < b { b } else { a })
    }
    #[inline(always)]
    fn gt(self, o: Self) -> Self {
        self.mask(o, |a, b| a > b)
    }
    #[inline(always)]
    fn ge(self, o: Self) -> Self {
        self.mask(o, |a, b| a >= b)
    }
    #[inline(always)]
    fn lt(self, o: Self) -> Self {
        self.mask(o, |a, b| a < b)
    }
    #[inline(always)]
    fn eq(self, o: Self) -> Self {
        self.mask(o, |a, b| a == b)
    }
    #[inline(always)]
    fn and(self, o: Self) -> Self {
        self.zip_bits(o, |a, b| a & b)
    }
    #[inline(always)]
    fn or(self, o: Self) -> Self {
        self.zip_bits(o, |a, b| a | b)
    }
    #[inline(always)]
    fn xor(self, o: Self) -> Self {
        self.zip_bits(o, |a, b| a ^ b)
    }
    #[inline(always)]
    fn and_not(self, o: Self) -> Self {
        self.zip_bits(o, |a, b| a & !b)
    }
    #[inline(always)]
    fn add_i32(self, o: Self) -> Self {
        self.zip_bits(o, u32::wrapping_add)
    }
    #[inline(always)]
    fn sub_i32(self, o: Self) -> Self {
        self.zip_bits(o, u32::wrapping_sub)
    }
    #[inline(always)]
    fn shl_i32<const N: i32>(self) -> Self {
        self.zip_bits(self, |a, _| a << N)
    }
    #[inline(always)]
    fn shr_i32<const N: i32>(self) -> Self {
        self.zip_bits(self, |a, _| ((a as i32) >> N) as u32)
    }
    #[inline(always)]
    fn i32_to_f32(self) -> Self {
        Scalar4(self.0.map(|a| a.to_bits() as i32 as f32))
    }
    #[inline(always)]
    fn wide_mul_u32(self, o: Self) -> (Self, Self) {
        let wide = |a: u32, b: u32| u64::from(a) * u64::from(b);
        let high = self.zip_bits(o, |a, b| (wide(a, b) >> 32) as u32);
        (high, self.zip_bits(o, u32::wrapping_mul))
    }
    #[inline(always)]
    fn transpose(r: [Self; 4]) -> [Self; 4] {
        std::array::from_fn(|i| Scalar4(std::array::from_fn(|j| r[j].0[i])))
    }
}
