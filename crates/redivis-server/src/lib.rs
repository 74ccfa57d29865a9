//! redivis-server
