//! redivis
