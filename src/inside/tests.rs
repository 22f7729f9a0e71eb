//! The commands, each as a cartridge calls it.
