//! Compiles every `.proto` of this folder; needs no protoc on the machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = Vec::new();
    collect(Path::new("signalbox"), &mut files)?;
    files.sort();
    println!("cargo::rerun-if-changed=signalbox");
    let descriptors = protox::compile(&files, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("signalbox.bin"), descriptors.encode_to_vec())?;
    // What may be long shares the memory of its record; ids and the like are cheaper copied.
    let shared = ["content", "data", "header", "octets", "packed", "value"];
    shared
        .into_iter()
        .fold(tonic_prost_build::configure(), |builder, field| builder.bytes(field))
        .codec_path("crate::codec::BoundedCodec")
        .include_file("packages.rs")
        .compile_fds(descriptors)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
