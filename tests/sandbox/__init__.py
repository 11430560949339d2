"""The sandbox is as faithful as the fact sheets, and steers as its panel says."""
