"""What the manifest names besides the docks: reader, writer, samples, open commands."""
