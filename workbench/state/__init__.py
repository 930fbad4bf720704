"""What a page knows: param classes without a widget."""
