use super::F32x4;
use core::arch::wasm32::*;

/// simd128; `mul_add` is a fused multiply-add where relaxed-simd is compiled in.
#[derive(Clone, Copy, Debug)]
pub struct Wasm4(v128);

macro_rules! new {
    ($($name:ident($x:ident: $t:ty) $e:expr;)*) => {
        $(#[inline(always)]
        fn $name($x: $t) -> Self {
            Wasm4($e)
        })*
    };
}
macro_rules! ops {
    ($($name:ident($a:ident $(, $o:ident)?) $e:expr;)*) => {
        $(#[inline(always)]
        fn $name(self $(, $o: Self)?) -> Self {
            let $a = self;
            Wasm4($e)
        })*
    };
}

impl F32x4 for Wasm4 {
    new! {
        splat(x: f32) f32x4_splat(x);
        splat_i32(x: i32) i32x4_splat(x);
        from_array(x: [f32; 4]) f32x4(x[0], x[1], x[2], x[3]);
    }
    ops! {
        add(a, b) f32x4_add(a.0, b.0);
        sub(a, b) f32x4_sub(a.0, b.0);
        mul(a, b) f32x4_mul(a.0, b.0);
        div(a, b) f32x4_div(a.0, b.0);
        sqrt(a) f32x4_sqrt(a.0);
        gt(a, b) f32x4_gt(a.0, b.0);
        ge(a, b) f32x4_ge(a.0, b.0);
        lt(a, b) f32x4_lt(a.0, b.0);
        eq(a, b) f32x4_eq(a.0, b.0);
        and(a, b) v128_and(a.0, b.0);
        or(a, b) v128_or(a.0, b.0);
        xor(a, b) v128_xor(a.0, b.0);
        and_not(a, b) v128_andnot(a.0, b.0);
        add_i32(a, b) i32x4_add(a.0, b.0);
        sub_i32(a, b) i32x4_sub(a.0, b.0);
        i32_to_f32(a) f32x4_convert_i32x4(a.0);
    }
    #[cfg(not(target_feature = "relaxed-simd"))]
    ops! {
        min(a, b) f32x4_pmin(a.0, b.0);
        max(a, b) f32x4_pmax(a.0, b.0);
    }
    // With relaxed-simd LLVM 22 turns pmin and pmax into relaxed_min and relaxed_max, which may
    // drop a NaN; `math_special_values` shows whether it still does.
    #[cfg(target_feature = "relaxed-simd")]
    ops! {
        min(a, b) b.lt(a).select(b, a).0;
        max(a, b) a.lt(b).select(b, a).0;
    }
    /// Masks are all ones or all zeros, for which the relaxed instruction is exact.
    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn select(self, a: Self, b: Self) -> Self {
        Wasm4(i32x4_relaxed_laneselect(a.0, b.0, self.0))
    }
    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Wasm4(f32x4_relaxed_madd(self.0, b.0, c.0))
    }
    #[inline(always)]
    fn shl_i32<const N: i32>(self) -> Self {
        Wasm4(i32x4_shl(self.0, N as u32))
    }
    #[inline(always)]
    fn shr_i32<const N: i32>(self) -> Self {
        Wasm4(i32x4_shr(self.0, N as u32))
    }
    #[inline(always)]
    fn wide_mul_u32(self, o: Self) -> (Self, Self) {
        let low = u64x2_extmul_low_u32x4(self.0, o.0);
        let high = u64x2_extmul_high_u32x4(self.0, o.0);
        (
            Wasm4(i32x4_shuffle::<1, 3, 5, 7>(low, high)),
            Wasm4(i32x4_shuffle::<0, 2, 4, 6>(low, high)),
        )
    }
    #[inline(always)]
    fn to_array(self) -> [f32; 4] {
        [
            f32x4_extract_lane::<0>(self.0),
            f32x4_extract_lane::<1>(self.0),
            f32x4_extract_lane::<2>(self.0),
            f32x4_extract_lane::<3>(self.0),
        ]
    }
    #[inline(always)]
    unsafe fn load_ptr(p: *const f32) -> Self {
        // SAFETY: the caller vouches for 4 floats; wasm loads need no alignment.
        Wasm4(unsafe { v128_load(p.cast()) })
    }
    #[inline(always)]
    unsafe fn store_ptr(self, p: *mut f32) {
        // SAFETY: the caller vouches for 4 floats; wasm stores need no alignment.
        unsafe { v128_store(p.cast(), self.0) }
    }
    #[inline(always)]
    fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        let ab = i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0);
        let cd = i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0);
        let ef = i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0);
        let gh = i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0);
        [
            Wasm4(i32x4_shuffle::<0, 1, 4, 5>(ab, cd)),
            Wasm4(i32x4_shuffle::<2, 3, 6, 7>(ab, cd)),
            Wasm4(i32x4_shuffle::<0, 1, 4, 5>(ef, gh)),
            Wasm4(i32x4_shuffle::<2, 3, 6, 7>(ef, gh)),
        ]
    }
}
