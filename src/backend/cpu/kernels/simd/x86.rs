use super::F32x4;
use core::arch::x86_64::*;

/// SSE2, which every x86-64 has.
#[derive(Clone, Copy, Debug)]
pub struct Sse4(__m128);

/// The bits as integers.
macro_rules! int {
    ($x:expr) => {
        _mm_castps_si128($x.0)
    };
}

macro_rules! new {
    ($($name:ident($x:ident: $t:ty) $e:expr;)*) => {
        $(#[inline(always)]
        fn $name($x: $t) -> Self {
            // SAFETY: the intrinsics need SSE2 only, which is part of x86-64.
            Sse4(unsafe { $e })
        })*
    };
}
macro_rules! ops {
    ($($name:ident($a:ident $(, $o:ident)?) $e:expr;)*) => {
        $(#[inline(always)]
        fn $name(self $(, $o: Self)?) -> Self {
            let $a = self;
            // SAFETY: the intrinsics need SSE2 only, which is part of x86-64.
            Sse4(unsafe { $e })
        })*
    };
}

impl F32x4 for Sse4 {
    new! {
        splat(x: f32) _mm_set1_ps(x);
        splat_i32(x: i32) _mm_castsi128_ps(_mm_set1_epi32(x));
        from_array(x: [f32; 4]) _mm_loadu_ps(x.as_ptr());
    }
    ops! {
        add(a, b) _mm_add_ps(a.0, b.0);
        sub(a, b) _mm_sub_ps(a.0, b.0);
        mul(a, b) _mm_mul_ps(a.0, b.0);
        div(a, b) _mm_div_ps(a.0, b.0);
        sqrt(a) _mm_sqrt_ps(a.0);
        // MINPS and MAXPS return their second operand unless the first is smaller (larger).
        min(a, b) _mm_min_ps(b.0, a.0);
        max(a, b) _mm_max_ps(b.0, a.0);
        gt(a, b) _mm_cmpgt_ps(a.0, b.0);
        ge(a, b) _mm_cmpge_ps(a.0, b.0);
        lt(a, b) _mm_cmplt_ps(a.0, b.0);
        eq(a, b) _mm_cmpeq_ps(a.0, b.0);
        and(a, b) _mm_and_ps(a.0, b.0);
        or(a, b) _mm_or_ps(a.0, b.0);
        xor(a, b) _mm_xor_ps(a.0, b.0);
        and_not(a, b) _mm_andnot_ps(b.0, a.0);
        add_i32(a, b) _mm_castsi128_ps(_mm_add_epi32(int!(a), int!(b)));
        sub_i32(a, b) _mm_castsi128_ps(_mm_sub_epi32(int!(a), int!(b)));
        i32_to_f32(a) _mm_cvtepi32_ps(int!(a));
    }
    #[inline(always)]
    fn shl_i32<const N: i32>(self) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        Sse4(unsafe { _mm_castsi128_ps(_mm_slli_epi32::<N>(int!(self))) })
    }
    #[inline(always)]
    fn shr_i32<const N: i32>(self) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        Sse4(unsafe { _mm_castsi128_ps(_mm_srai_epi32::<N>(int!(self))) })
    }
    #[inline(always)]
    fn wide_mul_u32(self, o: Self) -> (Self, Self) {
        // SAFETY: SSE2 is part of x86-64.
        unsafe {
            let odd = |x: Self| _mm_srli_epi64::<32>(int!(x));
            let even = _mm_castsi128_ps(_mm_mul_epu32(int!(self), int!(o)));
            let odd = _mm_castsi128_ps(_mm_mul_epu32(odd(self), odd(o)));
            // Lanes 0, 2, 1, 3 into their order.
            let sort = |x| _mm_shuffle_ps::<0b11_01_10_00>(x, x);
            (
                Sse4(sort(_mm_shuffle_ps::<0b11_01_11_01>(even, odd))),
                Sse4(sort(_mm_shuffle_ps::<0b10_00_10_00>(even, odd))),
            )
        }
    }
    #[inline(always)]
    fn to_array(self) -> [f32; 4] {
        let mut x = [0.0; 4];
        // SAFETY: `x` has 4 floats.
        unsafe { _mm_storeu_ps(x.as_mut_ptr(), self.0) };
        x
    }
    #[inline(always)]
    unsafe fn load_ptr(p: *const f32) -> Self {
        // SAFETY: the caller vouches for 4 floats.
        Sse4(unsafe { _mm_loadu_ps(p) })
    }
    #[inline(always)]
    unsafe fn store_ptr(self, p: *mut f32) {
        // SAFETY: the caller vouches for 4 floats.
        unsafe { _mm_storeu_ps(p, self.0) }
    }
    #[inline(always)]
    fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        // SAFETY: SSE2 is part of x86-64.
        unsafe {
            let (ab, cd) = (_mm_unpacklo_ps(a.0, b.0), _mm_unpacklo_ps(c.0, d.0));
            let (ef, gh) = (_mm_unpackhi_ps(a.0, b.0), _mm_unpackhi_ps(c.0, d.0));
            [
                Sse4(_mm_movelh_ps(ab, cd)),
                Sse4(_mm_movehl_ps(cd, ab)),
                Sse4(_mm_movelh_ps(ef, gh)),
                Sse4(_mm_movehl_ps(gh, ef)),
            ]
        }
    }
}
