//! The names of a cartridge manifest's elements, by what becomes of them.

/// Elements that describe the whole package; an override cannot change them.
pub(super) const PACKAGE: &[&str] = &[
    "Name",
    "Cartridge-Short-Name",
    "Cartridge-Version",
    "Compatible-Versions",
    "Cartridge-Vendor",
    "Version",
    "Versions",
    "Version-Overrides",
    "Source-Url",
    "Source-Md5",
    "Externals",
];

/// Elements that describe one software version.
pub(super) const SOFTWARE: &[&str] = &[
    "Display-Name",
    "Description",
    "License",
    "Website",
    "Categories",
    "Provides",
    "Endpoints",
    "Install-Build-Required",
    "Additional-Control-Actions",
    "Configure-Order",
];

/// Elements that are kept as they are, in `Package::extra`.
pub(super) const INFORMATION: &[&str] = &[
    "Architecture",
    "Cart-Data",
    "Components",
    "Conflicts",
    "Connections",
    "Group-Overrides",
    "Help-Topics",
    "Id",
    "License-Url",
    "Metrics",
    "Native-Requires",
    "Obsolete",
    "Platform",
    "Publishes",
    "Requires",
    "Scaling",
    "Subscribes",
    "Suggests",
    "Vendor",
];

/// Elements of an endpoint.
pub(super) const ENDPOINT: &[&str] = &[
    "Private-IP-Name",
    "Private-Port-Name",
    "Private-Port",
    "Public-Port-Name",
    "WebSocket-Port-Name",
    "WebSocket-Port",
    "Protocols",
    "Options",
    "Description",
    "Mappings",
];

/// Elements of a mapping of an endpoint.
pub(super) const MAPPING: &[&str] = &["Frontend", "Backend", "Options"];
