"""From logs of calls to an inventory: readers, one SELECT per format, cells, prices."""
