//! `#[derive(Deserialize)]` for JSON alone, with serde's attributes.
//!
//! serde's own derive writes a visitor per type and source, and with internally tagged and
//! flattened enums it does so several times over: a fifth of an engine's wasm. This one writes
//! `json::Read`, a few calls per field into functions that all types share, and a
//! `serde::Deserialize` that goes through it. Of serde's attributes it takes `rename_all`,
//! `rename_all_fields`, `tag`, `untagged`, `default`, `flatten` and `deserialize_with` (here a
//! function of a JSON value); any other fails to compile unless it concerns writing only.
mod names;
mod options;

use names::Case;
use options::{Container, Fallback, Field};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, Result, Variant, parse_macro_input};

/// Implements the crate's own `json::Read`, and `serde::Deserialize` by it.
#[proc_macro_derive(Deserialize, attributes(serde))]
pub fn deserialize(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

fn derive(input: &DeriveInput) -> Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "generic types are not read",
        ));
    }
    let name = &input.ident;
    let options = Container::of(&input.attrs)?;
    let body = match &input.data {
        Data::Struct(s) => structure(name, &s.fields, &options)?,
        Data::Enum(e) => {
            let variants: Vec<&Variant> = e.variants.iter().collect();
            match (&options.tag, options.untagged) {
                (Some(tag), false) => tagged(name, tag, &variants, &options)?,
                (None, true) => untagged(name, &variants)?,
                _ => named(name, &variants, &options)?,
            }
        }
        Data::Union(_) => return Err(Error::new_spanned(name, "unions are not read")),
    };
    Ok(quote! {
        #[automatically_derived]
        impl crate::json::Read for #name {
            fn read(value: ::serde_json::Value) -> ::std::result::Result<Self, crate::json::Error> {
                #body
            }
        }
        #[automatically_derived]
        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> ::std::result::Result<Self, D::Error> {
                let value = <::serde_json::Value as ::serde::Deserialize>::deserialize(from)?;
                crate::json::Read::read(value).map_err(::serde::de::Error::custom)
            }
        }
    })
}

fn structure(name: &syn::Ident, fields: &Fields, options: &Container) -> Result<TokenStream> {
    let Fields::Named(_) = fields else {
        return Err(Error::new_spanned(
            name,
            "a struct without named fields is not read",
        ));
    };
    let what = format!("struct {name}");
    let default = options
        .default
        .then(|| quote! { let default = <#name as ::std::default::Default>::default(); });
    let read = read_fields(fields, options.fields(), options.default)?;
    Ok(quote! {
        #[allow(unused_mut)]
        let mut fields = crate::json::Fields::of(value, #what)?;
        #default
        Ok(#name { #read })
    })
}

/// `name: reader?, …`, out of a `fields`.
fn read_fields(fields: &Fields, case: Case, default: bool) -> Result<TokenStream> {
    let mut out = TokenStream::new();
    // What is flattened takes what the other fields leave.
    let mut rest = TokenStream::new();
    for field in fields {
        let (ident, options) = (&field.ident, Field::of(&field.attrs)?);
        let Some(plain) = ident else {
            return Err(Error::new_spanned(
                field,
                "a field without a name is not read",
            ));
        };
        let key = case.field(&plain.to_string());
        if options.flatten {
            rest.extend(quote! { #ident: crate::json::Read::read(fields.rest())?, });
            continue;
        }
        out.extend(match (options.with, options.fallback) {
            (Some(with), Fallback::None) => quote! { #ident: fields.with(#key, #with)?, },
            (Some(with), _) => {
                return Err(Error::new_spanned(with, "either a default or a reader"));
            }
            (None, Fallback::Of(path)) => quote! { #ident: fields.or(#key, #path)?, },
            (None, Fallback::Default) => {
                quote! { #ident: fields.or(#key, ::std::default::Default::default)?, }
            }
            (None, Fallback::None) if default => {
                quote! { #ident: fields.or(#key, || default.#ident)?, }
            }
            (None, Fallback::None) => quote! { #ident: fields.get(#key)?, },
        });
    }
    out.extend(rest);
    Ok(out)
}

fn variant_names(variants: &[&Variant], case: Case) -> Vec<String> {
    variants
        .iter()
        .map(|v| case.variant(&v.ident.to_string()))
        .collect()
}

/// A name alone.
fn named(name: &syn::Ident, variants: &[&Variant], options: &Container) -> Result<TokenStream> {
    let names = variant_names(variants, options.case);
    let mut arms = TokenStream::new();
    for (i, v) in variants.iter().enumerate() {
        let ident = &v.ident;
        let Fields::Unit = v.fields else {
            return Err(Error::new_spanned(v, "a variant with fields takes a `tag`"));
        };
        arms.extend(quote! { #i => #name::#ident, });
    }
    Ok(quote! {
        Ok(match crate::json::one_of(value, &[#(#names),*])? {
            #arms
            _ => unreachable!(),
        })
    })
}

/// An object with the variant's name among its fields.
fn tagged(
    name: &syn::Ident,
    tag: &str,
    variants: &[&Variant],
    options: &Container,
) -> Result<TokenStream> {
    let names = variant_names(variants, options.case);
    let mut arms = TokenStream::new();
    for (i, v) in variants.iter().enumerate() {
        let ident = &v.ident;
        let made = match &v.fields {
            Fields::Unit => quote! { #name::#ident },
            Fields::Unnamed(f) if f.unnamed.len() == 1 => {
                quote! { #name::#ident(crate::json::Read::read(fields.rest())?) }
            }
            Fields::Named(_) => {
                let read = read_fields(&v.fields, options.variant_fields, false)?;
                quote! { #name::#ident { #read } }
            }
            Fields::Unnamed(_) => return Err(Error::new_spanned(v, "a tuple is not read")),
        };
        arms.extend(quote! { #i => #made, });
    }
    let what = format!("enum {name}");
    Ok(quote! {
        #[allow(unused_mut)]
        let mut fields = crate::json::Fields::of(value, #what)?;
        Ok(match fields.tag(#tag, &[#(#names),*])? {
            #arms
            _ => unreachable!(),
        })
    })
}

/// The first variant that the value fits.
fn untagged(name: &syn::Ident, variants: &[&Variant]) -> Result<TokenStream> {
    let mut tries = TokenStream::new();
    for v in variants {
        let ident = &v.ident;
        let Fields::Unnamed(_) = v.fields else {
            return Err(Error::new_spanned(v, "an untagged variant holds one value"));
        };
        let read = format_ident!("read");
        tries.extend(quote! {
            if let Ok(#read) = crate::json::Read::read(value.clone()) {
                return Ok(#name::#ident(#read));
            }
        });
    }
    let what = name.to_string();
    Ok(quote! {
        #tries
        Err(crate::json::fits_none(#what))
    })
}
