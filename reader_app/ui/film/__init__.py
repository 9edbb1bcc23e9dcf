"""The film on the screen: tiles, window, zoom, boxes, heatmaps, words around it."""
