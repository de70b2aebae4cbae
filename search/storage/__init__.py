"""Where studies are kept, folders and object stores: reading, writing and locking.

``store`` reads and replaces files, with retries while a store does not answer. ``lock`` keeps two
searches out of one study. ``conditional_writes`` replaces an object only if nobody else has;
``mirrored_files`` gives software that can only append to local files a place in an object store;
``csv_tables`` reads and writes tables.
"""
