"""What official clients do with the service; see `live.py`."""
