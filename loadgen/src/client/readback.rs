//! reading back
