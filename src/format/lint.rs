//! What there is to say to the author of a package.
