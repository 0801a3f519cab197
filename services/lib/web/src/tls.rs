//! Whom a client trusts: certificates of authorities, from a file or the machine.

use std::{fs, path::Path};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// The authorities in `ca`, or those of the machine.
///
/// # Errors
/// There are none, or the file cannot be read; in words.
pub fn roots(ca: Option<&Path>) -> Result<RootCertStore, String> {
    let found = match ca {
        Some(path) => certificates(path)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found);
    if roots.is_empty() {
        let place = ca.map_or_else(|| "on this machine".to_owned(), |path| format!("in {}", path.display()));
        return Err(format!(
            "there is no certificate of an authority {place}: install ca-certificates or name a file with `ca`"
        ));
    }
    Ok(roots)
}

/// The certificates in the PEM file `path`; empty = it holds something else.
///
/// # Errors
/// It cannot be read, or one of them is broken; in words that name the file.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let octets = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let found: Result<_, _> = CertificateDer::pem_slice_iter(&octets).collect();
    found.map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    //! Files that hold authorities, and files that do not.

    use super::*;

    #[test]
    fn a_file_of_an_authority_is_trusted_and_any_other_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(roots(Some(&path)).unwrap_err().contains("ca.pem: "));
        fs::write(&path, "no certificate").unwrap();
        let error = roots(Some(&path)).unwrap_err();
        assert!(
            error.starts_with("there is no certificate of an authority in "),
            "{error}"
        );
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&path, made.cert.pem()).unwrap();
        assert_eq!(roots(Some(&path)).unwrap().len(), 1);
    }
}
